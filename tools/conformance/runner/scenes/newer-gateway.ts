import type { CallName } from '../calls.ts';
import { madeLease, say } from '../made-lease.ts';
import { refusal } from '../played-gateway.ts';
import type { Scene } from '../stage.ts';

/** Much longer than the lease lives. */
const RETRY_AFTER_S = 600;

/** What is refused once, by a status alone, since nobody can know the code yet. */
const REFUSED: Readonly<Partial<Record<CallName, number>>> = { appendLog: 503, completeAttempt: 500 };

/** A gateway that has more ways to say no than the guide has, and asks for more patience than a lease allows. */
export const newerGateway: Scene = {
  name: 'a gateway that refuses for reasons nobody has heard of',
  judges: ['unknown-codes'],
  lease: (source) => madeLease(source, [say('said-in-the-end')]),
  play: async (stage) => {
    const { gateway } = stage;
    const left = new Map(Object.entries(REFUSED));
    gateway.instead = ({ name }) => {
      const status = left.get(name);
      left.delete(name);
      if (status === undefined) return null;
      const headers = { 'retry-after': String(RETRY_AFTER_S) };
      return { ...refusal(status, 'overcast', 'the sky is not clear enough'), headers };
    };
    const report = await stage.report();
    if (report === null) return;
    const calls = gateway.calls('appendLog', 'completeAttempt');
    const isWhole = gateway.book.log().toString().includes('said-in-the-end\n');
    const holds = report.outcome === 'succeeded' && isWhole;
    const seen = `${report.outcome}, and a log that ${isWhole ? 'is whole' : 'lacks what was refused at first'}`;
    stage.judge('unknown-codes', holds, 'what was refused comes again while the lease lives', seen, calls);
  },
};
