import { madeLease } from '../made-lease.ts';
import { refusal } from '../played-gateway.ts';
import { endingText } from '../runner-process.ts';
import type { Scene } from '../stage.ts';
import type { Answer } from '../calls.ts';

/** A registration that no repetition makes better. */
const refused = (name: string, answer: Answer): Scene => ({
  name,
  judges: ['takes-no'],
  lease: () => null,
  play: async (stage) => {
    stage.gateway.instead = ({ name: call }) => (call === 'registerRunner' ? answer : null);
    if (!(await stage.until(() => stage.gateway.calls('registerRunner').length > 0))) return;
    await stage.gone();
    const calls = stage.gateway.calls('registerRunner');
    const { ending } = stage.runner;
    const holds = calls.length === 1 && ending !== null && ending.code !== 0;
    const seen = `${calls.length} registrations, ${endingText(ending)}`;
    stage.judge('takes-no', holds, 'one registration, and an exit code other than 0', seen, calls);
  },
});

/** Shorter than any gateway hands out. Two thirds of it are left when it has to be renewed: longer than a busy machine stalls. */
const TOKEN_MS = 15_000;

const shortToken: Scene = {
  name: 'a token that soon runs out',
  judges: ['renews-token'],
  lease: (source) => madeLease(source, [`sleep ${TOKEN_MS / 1_000 + 2}`]),
  play: async (stage) => {
    const { book } = stage.gateway;
    book.tokenMs = TOKEN_MS;
    const report = await stage.report();
    const late = stage.gateway.strangers.filter(({ token }) => book.handedOut(token));
    const renewals = stage.gateway.calls('renewToken');
    const seen = `${renewals.length} renewals, ${late.length} requests with a token that had run out`;
    const holds = report !== null && renewals.length > 0 && late.length === 0;
    const expected = `POST /runner/v1/token before the ${TOKEN_MS / 1_000} s of the token are over, and only tokens that hold`;
    stage.judge('renews-token', holds, expected, seen, [...renewals, ...late]);
  },
};

/** What happens before there is work. */
export const comingIn: readonly Scene[] = [
  refused('a registration token that is refused', refusal(401, 'unauthenticated', 'send a valid registration token')),
  refused('a gateway without this version of the protocol', refusal(404, 'not_found', 'there is no such route')),
  shortToken,
];
