import type { Delivery } from '../../support/fake-forge/webhook-deliveries.ts';
import { eventually } from '../../support/infra/index.ts';
import type { RestartablePostgres } from '../../support/mesh/index.ts';
import { MovedToSmallDisk, noMountsHere } from '../hands/small-disk.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';

/** Postgres and nats-server: ended, emptied, cut short, or unheard. */
export const SERVER_SCENARIOS: readonly Scenario[] = [
  {
    name: 'commit-answers-lost',
    hurts: 'answers of Postgres to commits that arrived',
    shows: 'a commit that nobody heard of is found in the inbox, and nothing is done twice',
    slackMs: 15_000,
    act: async (stage) => {
      const { database } = stage.hops;
      for (let round = 0; round < 5; round += 1) {
        database.loseCommitAnswers(2);
        await stage.change(`unheard-${round}`);
      }
      await stage.settle();
      return { 'commits with a lost answer': database.lostAnswers };
    },
  },
  {
    name: 'postgres-ended',
    hurts: 'Postgres under load: shut down at once (as pg_ctl -m immediate does), then killed with -9',
    shows: 'nothing is accepted without a log, and what was accepted is there when it is back',
    slackMs: 30_000,
    mesh: { ownPostgres: true },
    act: async (stage) => {
      const immediate = await withoutPostgres(stage, 'immediate');
      const killed = await withoutPostgres(stage, 'kill');
      await stage.settle();
      return { 'immediate shutdowns': immediate, kills: killed };
    },
  },
  {
    name: 'postgres-disk-full',
    hurts: 'the disk of Postgres, full to the last byte while a job ends and changes come in',
    shows: 'what cannot be recorded is refused, never half done, and work goes on when there is room',
    slackMs: 60_000,
    mesh: { ownPostgres: true },
    missingHere: noMountsHere,
    act: async (stage) => {
      const { disk } = await onSmallDisk(stage);
      const { held } = await stage.runningChange('disk-is-full');
      disk.fill();
      held.release();
      const refused = await deliverUntilRefused(stage);
      disk.free();
      // Nobody told its sender, but it may have been recorded when there was room: delivered again, it is the same run.
      if (refused !== null) await stage.take(refused);
      await stage.change('there-is-room-again');
      await stage.settle();
      return { 'deliveries refused': refused === null ? 0 : 1 };
    },
  },
  {
    name: 'nats-killed',
    hurts: 'nats-server, killed with -9 three times under load',
    shows: 'commands are refused or repeated, and the relay goes on where the stream ends',
    slackMs: 30_000,
    act: async (stage) => hurtNats(stage, 3, async () => undefined),
  },
  {
    name: 'nats-store-deleted',
    hurts: 'everything JetStream stored, twice, in the middle of runs',
    shows: 'losing the whole bus loses nothing: streams are filled again from the log',
    slackMs: 30_000,
    act: async (stage) => hurtNats(stage, 2, async () => stage.system.nats.wipeStore()),
  },
  {
    name: 'nats-tail-cut',
    hurts: 'the last bytes of every stream, twice, as a lost write-back leaves them',
    shows: 'sequences that are handed out again carry the same events as the first time',
    slackMs: 30_000,
    act: async (stage) => hurtNats(stage, 2, async () => stage.system.nats.cutStore(TAIL_BYTES)),
  },
];

/** Some dozens of messages. */
const TAIL_BYTES = 48 * 1024;

function ownPostgres({ system: { postgres } }: Stage): RestartablePostgres {
  if (postgres === null) throw new Error('this scenario needs a Postgres of its own');
  return postgres;
}

async function withoutPostgres(stage: Stage, how: 'immediate' | 'kill'): Promise<number> {
  const { mesh } = stage.system;
  const postgres = ownPostgres(stage);
  const { held } = await stage.runningChange(`postgres-${how}`);
  await (how === 'immediate' ? postgres.endAtOnce() : postgres.kill());
  held.release();
  await eventually('the gateway says that it is not ready', async () => !(await fetch(`${mesh.gatewayUrl}/readyz`)).ok);
  // Delivered again and again until somebody is there to take it, as forges do.
  const meanwhile = stage.change(`while-postgres-${how}`);
  await postgres.start();
  await meanwhile;
  return 1;
}

/** Room for the migrations' growth and some changes, which a disk that is full has no more. */
const SPARE_BYTES = 32 * 1024 * 1024;
/** A full disk still has room on pages that are there: so many changes find it. */
const DELIVERIES_MAX = 300;

async function onSmallDisk(stage: Stage): Promise<MovedToSmallDisk> {
  const postgres = ownPostgres(stage);
  await postgres.endAtOnce();
  const moved = new MovedToSmallDisk(postgres.dir, SPARE_BYTES);
  stage.atTheEnd(async () => {
    moved.disk.free();
    await postgres.endAtOnce();
    moved.moveBack();
    await postgres.start();
  });
  await postgres.start();
  return moved;
}

/** @returns the delivery that was refused; null when everything was taken */
async function deliverUntilRefused(stage: Stage): Promise<Delivery | null> {
  for (let at = 0; at < DELIVERIES_MAX && !stage.signal.aborted; at += 1) {
    const delivery = await stage.pushed(`into-a-full-disk-${at}`);
    const { status } = await stage.deliver(delivery);
    if (status >= 500) return delivery;
    if (status !== 202) throw new Error(`a delivery was answered ${status}`);
  }
  return null;
}

/** So many times: a job runs, the server dies, its store suffers, the job ends, the server comes back. */
async function hurtNats(stage: Stage, times: number, suffer: () => Promise<void>) {
  const { nats } = stage.system;
  for (let time = 0; time < times; time += 1) {
    const { held } = await stage.runningChange(`running-${time}`);
    await stage.change(`queued-${time}`);
    await nats.kill();
    await suffer();
    held.release();
    await nats.start();
  }
  await stage.settle();
  return { deaths: times };
}
