import type { Mutant } from './mutant.ts';
import { MUTANTS_OF_LIVENESS } from './mutants-of-liveness.ts';

/** Mistakes that a system like this one has made, here or elsewhere. The simulator has to catch every one of them. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'no fence check',
    changes: [
      {
        file: 'libs/domain/src/run/completion-and-retry.ts',
        find: "if (standing.kind !== 'held') return refuseStale(unfolding, standing, command.type, command.runnerId);\n  if (standing.attempt.lease.state === 'granted') return refuseTransition('a lease', 'granted', command.type);",
        replace:
          "if (standing.kind === 'unknown') return refuseStale(unfolding, standing, command.type, command.runnerId);",
      },
    ],
    caughtBy: ['1 one end', '2 fences', '17 every decision can be recorded'],
  },
  {
    name: 'a lease is kept in clear',
    changes: [
      {
        file: 'libs/service/src/logging/lease-hash.ts',
        find: "return createHash('sha256').update(leaseId).digest('hex');",
        replace: 'return leaseId;',
      },
    ],
    caughtBy: ['12 no secrets'],
  },
  {
    name: 'the inbox outside the transaction',
    changes: [
      {
        file: 'libs/event-log/src/append/commit-batch.ts',
        find: 'await Promise.all([...sent, ...remembered, client.commit()]);',
        replace: 'await Promise.all([...sent, client.commit()]);\n    await Promise.all(remembered());',
      },
      {
        file: 'libs/event-log/src/append/commit-batch.ts',
        find: 'const remembered = sendRemembered(client, submissions, batch, answers, knowledge.nowMs);',
        replace: 'const remembered = () => sendRemembered(client, submissions, batch, answers, knowledge.nowMs);',
      },
    ],
    caughtBy: ['6 applied once'],
  },
  {
    name: 'the inbox is not asked',
    changes: [
      {
        file: 'libs/event-log/src/append/lock-and-load.ts',
        find: 'const answers = new Map(remembered.map((row) => [row.id, rememberedOf(row)]));',
        replace: 'const answers = new Map();',
      },
    ],
    caughtBy: ['6 applied once', '17 every decision can be recorded'],
  },
  {
    name: 'positions from a sequence',
    changes: [
      {
        file: 'libs/event-log/src/append/take-places.ts',
        find: 'const event = sealEvent(draft, { position: tail.position + 1, version, prevHash: tail.hash });',
        replace:
          'prediction.sequence = (prediction.sequence ?? tail.position) + 1;\n    const event = sealEvent(draft, { position: prediction.sequence, version, prevHash: tail.hash });',
      },
    ],
    caughtBy: ['3 log order'],
  },
  {
    name: 'deadlines by the clock of the service',
    changes: [
      {
        file: 'apps/orchestrator/src/decisions/run-submission.ts',
        find: 'const decision = decideRun(command, view.run(runId), { nowMs: view.nowMs });',
        replace: 'const decision = decideRun(command, view.run(runId), { nowMs: Date.now() });',
      },
    ],
    caughtBy: ['8 deadlines'],
  },
  {
    name: 'a cancel counts as done at once',
    changes: [
      {
        file: 'libs/domain/src/run/settle.ts',
        find: 'if (unfolding.work.unfinishedJobs === 0) finishRun(unfolding);',
        replace:
          "if (unfolding.work.unfinishedJobs === 0 || unfolding.run.state === 'canceling') finishRun(unfolding);",
      },
    ],
    caughtBy: ['1 one end', '17 every decision can be recorded'],
  },
  {
    name: 'work is dispatched after a cancel',
    changes: [
      {
        file: 'libs/domain/src/run/settle.ts',
        find: "if (job.state === 'active' && job.current.state !== 'queued') continue;",
        replace: "if (job.state === 'active') continue;",
      },
      {
        file: 'libs/domain/src/run/cancel-and-supersede.ts',
        find: "if (job.state !== 'active' || job.current.state === 'canceling') return;",
        replace: "if (job.state !== 'active' || ['queued', 'canceling'].includes(job.current.state)) return;",
      },
      {
        file: 'libs/domain/src/run/dispatch-and-lease.ts',
        find: "if (run.state !== 'queued' && run.state !== 'running') return",
        replace: "if (run.state !== 'queued' && run.state !== 'running' && run.state !== 'canceling') return",
      },
    ],
    caughtBy: ['9 nothing starts after a cancel', '16 everything ends', '17 every decision can be recorded'],
  },
  {
    name: 'the relay skips what failed',
    changes: [
      {
        file: 'libs/bus/src/relay.ts',
        find: 'if (refusedAt === -1) return this.#advance(after + batch.length);',
        replace: 'return this.#advance(after + batch.length);',
      },
      { file: 'libs/bus/src/log-events.ts', find: '    expectedLastSequence: event.position - 1,\n', replace: '' },
    ],
    caughtBy: ['7 the bus is a prefix of the log'],
  },
  {
    name: 'the relay expects nothing',
    changes: [
      { file: 'libs/bus/src/log-events.ts', find: '    expectedLastSequence: event.position - 1,\n', replace: '' },
    ],
    caughtBy: ['7 the bus is a prefix of the log'],
  },
  {
    name: 'a finished run is reopened',
    changes: [
      {
        file: 'libs/domain/src/run/cancel-and-supersede.ts',
        find: "if (run.state === 'finished') return refuse('not_cancelable', `the run has finished already: ${run.outcome}`);",
        replace: '',
      },
    ],
    caughtBy: ['1 one end', '17 every decision can be recorded'],
  },
  {
    name: 'one retry too many',
    changes: [
      {
        file: 'libs/domain/src/retry/decide-retry.ts',
        find: 'used.retriesUsed < policy.retries',
        replace: 'used.retriesUsed <= policy.retries',
      },
    ],
    caughtBy: ['10 budgets'],
  },
  {
    name: 'one lost runner too many',
    changes: [
      {
        file: 'libs/domain/src/retry/decide-retry.ts',
        find: 'used.lostRetriesUsed < policy.lostRetries',
        replace: 'used.lostRetriesUsed <= policy.lostRetries',
      },
    ],
    caughtBy: ['10 budgets'],
  },
  {
    name: 'tables outside the transaction',
    changes: [
      {
        file: 'libs/event-log/src/append/commit-batch.ts',
        find: "    ...sendChanges(client, changes, 'before-head'),\n",
        replace: '',
      },
      {
        file: 'libs/event-log/src/append/commit-batch.ts',
        find: '    prediction.confirmed();\n',
        replace:
          "    await Promise.all(sendChanges(client, changesOf(batch.drafts), 'before-head'));\n    prediction.confirmed();\n",
      },
    ],
    caughtBy: ['4 tables are the fold of the log', '5 tables move with the head'],
  },
  {
    name: 'a second lease for one runner',
    changes: [
      {
        file: 'apps/orchestrator/src/command-handlers.ts',
        find: '  if (runner.held !== null) return onGrantToHolder(desk, command, runner.held);\n',
        replace: '',
      },
      {
        file: 'libs/event-log/src/schema/migrations/1763600000002-create-projections.ts',
        find: '  `CREATE UNIQUE INDEX lease_one_live_per_runner ON lease (runner_id) WHERE live`,\n',
        replace: '',
      },
    ],
    caughtBy: ['2 fences'],
  },
  {
    name: 'a file is recorded although it was not stored',
    changes: [
      {
        file: 'apps/gateway/src/runners/upload-controller.ts',
        find: 'await storeArtifact(this.#parts, streamOf(body), digest);',
        replace: 'await storeArtifact(this.#parts, streamOf(body), digest).catch(() => ({ sizeBytes: 1 }));',
      },
      {
        file: 'apps/gateway/src/runners/upload-controller.ts',
        find: '(await this.#parts.store.artifacts.size(digest)) === null',
        replace: 'false',
      },
    ],
    caughtBy: ['13 artifacts have their digest'],
  },
  {
    name: 'a message is acknowledged before it is handled',
    changes: [
      {
        file: 'libs/bus/src/consume.ts',
        find: 'const verdict = await this.#unlessHandedBack(handle(delivery, this.#handling.signal));',
        replace:
          'delivery.ack();\n      const verdict = await this.#unlessHandedBack(handle(delivery, this.#handling.signal));',
      },
    ],
    caughtBy: ['18 acknowledged when done'],
  },
  {
    name: 'a dispatch is acknowledged before its grant',
    changes: [
      {
        file: 'apps/orchestrator/src/leases/pool-desk.ts',
        find: 'const outcome = await this.#ports.grant(seat.runner, work);',
        replace: 'work.ack();\n      const outcome = await this.#ports.grant(seat.runner, work);',
      },
    ],
    caughtBy: ['18 acknowledged when done'],
  },
  {
    name: 'a lease is looked up by its runner alone',
    changes: [
      {
        file: 'libs/domain/src/run/lease-standing.ts',
        find: 'const place = work === null ? null : findLeasePlace(work.leases, hash);',
        replace:
          'const held = work?.live.find((live) => live.runnerId === runnerId);\n  const place = work === null ? null : held === undefined ? findLeasePlace(work.leases, hash) : { job: held.job, attempt: jobAt(work.jobs, held.job).current.number };',
      },
    ],
    caughtBy: ['2 fences'],
  },
  {
    name: 'an older state is published over a newer one',
    changes: [
      {
        file: 'apps/status-reporter/src/run-queue.ts',
        find: '    if (entry.looking) return;\n    if (entry.timer',
        replace: '    if (entry.timer',
      },
      {
        file: 'apps/status-reporter/src/run-queue.ts',
        find: 'if (entry === undefined || entry.looking) return;',
        replace: 'if (entry === undefined) return;',
      },
      {
        file: 'apps/status-reporter/src/publish-run.ts',
        find: 'return known.viewPosition <= view.position && known.digest !== publication.digest;',
        replace: 'return known.digest !== publication.digest;',
      },
    ],
    caughtBy: ['11 the forge converges'],
  },
  {
    name: 'a failed publication counts as done',
    changes: [
      {
        file: 'apps/status-reporter/src/publish-run.ts',
        find: 'if (!answer.ok && !isFinal(answer.failure)) {',
        replace: "if (!answer.ok && answer.failure.kind === 'unauthorised') {",
      },
      {
        file: 'apps/status-reporter/src/publish-run.ts',
        find: "status: answer.ok ? ('published' as const) : ('refused' as const),",
        replace: "status: 'published' as const,",
      },
      {
        file: 'apps/status-reporter/src/publish-run.ts',
        find: "const isEnd = answer.ok && certainty !== 'waiting'",
        replace: "const isEnd = certainty !== 'waiting'",
      },
    ],
    caughtBy: ['11 the forge converges'],
  },
  {
    name: 'consumers that passed a lost tail stay where they are',
    changes: [
      {
        file: 'libs/bus/src/keep-consumers.ts',
        find: 'if (doubts.size > 0 || this.#outages === null) await',
        replace: 'if (this.#outages === null) await',
      },
    ],
    caughtBy: ['16 everything ends'],
  },
  ...MUTANTS_OF_LIVENESS,
];
