import type { HeardCall } from './calls.ts';
import type { Stage } from './stage.ts';
import { SCENE_SECRETS } from './scenes/secrets.ts';

const PHASES = ['starting', 'running', 'uploading'];
/** What was on its way when a report was answered. */
const ON_ITS_WAY_MS = 250;

/** What holds of every request, whatever the scene is. */
export function judgeAlways(stage: Stage): void {
  const { gateway } = stage;
  const { heard } = gateway;
  if (heard.length === 0) return;
  const strange = heard.filter(({ problem }) => problem !== null);
  stage.judge('well-formed', strange.length === 0, 'requests as documented', () => strange[0]?.problem ?? '', strange);
  judgeTokens(stage);
  judgeSecrets(stage);
  judgePolls(stage);
  judgeLease(stage);
}

function judgeTokens(stage: Stage): void {
  // One that ran out is looked at in the scene that lets tokens run out.
  const wrong = stage.gateway.strangers.filter(({ token }) => !stage.gateway.book.handedOut(token) || token === null);
  stage.judge(
    'right-token',
    wrong.length === 0,
    'Authorization: Bearer, with the token that opens the call',
    'another',
    wrong,
  );
}

function judgeSecrets(stage: Stage): void {
  const { heard, registrationToken, book } = stage.gateway;
  const leaseId = book.lease?.offer.leaseId ?? registrationToken;
  const hidden = [registrationToken, leaseId, stage.source.token, ...book.tokens, ...SCENE_SECRETS];
  const telling = heard.filter(({ body }) => hidden.some((word) => body.includes(word)));
  const names = telling.map(({ name }) => name).join(', ');
  stage.judge('keeps-secrets', telling.length === 0, 'none in the body of a request', names, telling);
}

function judgePolls(stage: Stage): void {
  const { gateway } = stage;
  const polls = gateway.calls('requestLease');
  const offered = polls.find(({ answer }) => answer !== null && answer !== 'cut' && answer.status === 200);
  const over = stage.reports().find(({ answer }) => answer !== null && answer !== 'cut')?.answeredAtMs;
  const twice = polls.filter(
    (call, at) =>
      (polls[at - 1]?.answeredAtMs ?? 0) > call.atMs ||
      (offered !== undefined && call.atMs > (offered.answeredAtMs ?? 0) && call.atMs < (over ?? 0)),
  );
  if (polls.length > 0)
    stage.judge('polls-once', twice.length === 0, 'one at a time, and none with a lease', 'two', twice);
}

function judgeLease(stage: Stage): void {
  const { gateway } = stage;
  const words = gateway.heard.filter(({ url }) => url.includes('/leases/'));
  if (words.length === 0) return;
  const acknowledged = gateway.calls('acknowledgeLease').find(({ answer }) => answer !== null && answer !== 'cut');
  const early = words.filter(
    ({ name, atMs }) => name !== 'acknowledgeLease' && atMs < (acknowledged?.answeredAtMs ?? Number.POSITIVE_INFINITY),
  );
  stage.judge(
    'acknowledges-first',
    early.length === 0,
    'POST …/ack, and nothing before its answer',
    'other words',
    early,
  );
  judgeOrder(stage, words);
  const taken = stage.reports().find(({ answer }) => answer !== null && answer !== 'cut' && answer.status === 200);
  if (taken === undefined) return;
  const after = words.filter(({ atMs }) => atMs > (taken.answeredAtMs ?? 0) + ON_ITS_WAY_MS);
  stage.judge('completes-once', after.length === 0, 'nothing under the lease when the report was taken', 'more', after);
}

function judgeOrder(stage: Stage, words: readonly HeardCall[]): void {
  const beats = words.filter(({ name }) => name === 'heartbeat');
  const phases = beats.map(({ json }) => PHASES.indexOf((json as { phase?: string } | undefined)?.phase ?? ''));
  const back = beats.filter((_, at) => (phases[at] ?? 0) < (phases[at - 1] ?? 0));
  if (beats.length > 0) stage.judge('phases-forward', back.length === 0, PHASES.join(', '), 'a step back', back);
  const gaps = words.filter(
    ({ name, answer }) => name === 'appendLog' && answer !== 'cut' && answer?.status === 409 && isGap(answer.body),
  );
  if (words.some(({ name }) => name === 'appendLog'))
    stage.judge('log-in-order', gaps.length === 0, 'chunks without a gap', 'a gap', gaps);
}

const isGap = (body: object | undefined): boolean => JSON.stringify(body ?? {}).includes('offset_mismatch');
