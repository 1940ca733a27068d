/** What a set of seeds has to provoke at least once: a simulator that never does proves nothing. */
export const SOMETIMES = [
  'a lease ran out, and its late report was refused',
  'a runner was lost and its job went to another',
  'a runner froze for longer than its lease and came back',
  'a runner that held a lease spoke for an older one',
  'a cancel was acknowledged by the runner',
  'a cancel was forced at its deadline',
  'a run was superseded',
  'a run reached its own limit',
  'a job reached its limit',
  'an attempt waited too long',
  'planning took too long',
  'a failure was tried again',
  'a shadow was tried again',
  'budgets were used up',
  'a commit was unknown, and the inbox knew',
  'two writers clashed over the head',
  'a connection broke before the commit',
  'the database restarted',
  'a host was cut off from the database',
  'two orchestrators led the relay at once',
  'an orchestrator crashed',
  'an orchestrator was ordered to die at a bad moment',
  'an orchestrator ended in order',
  'a reporter froze and came back',
  'EVENTS lost its tail and was filled again',
  'the store of the bus was lost',
  'the bus was away',
  'a delivery was lost',
  'a delivery came twice',
  'an ack was lost',
  'an ack came late',
  'a stored message was stored again and known',
  'a publication was refused as out of order',
  'a dispatch was lost on its way',
  'a lost dispatch was sent again',
  'a command was repeated and answered from memory',
  'a webhook was repeated and led to the same run',
  'a removal did not end, and its place was given back',
  'the forge failed',
  'the forge failed where something ended',
  'the artifact store failed',
  'an artifact was recorded',
  'a clock was minutes off',
] as const;
export type Sometime = (typeof SOMETIMES)[number];

/** Counts what was provoked. */
export class Sometimes {
  readonly counts = Object.fromEntries(SOMETIMES.map((name) => [name, 0])) as Record<Sometime, number>;

  happened(what: Sometime): void {
    this.counts[what] += 1;
  }
}
