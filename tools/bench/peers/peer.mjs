/**
 * Measures one peer, as a process of its own: `node peer.mjs`, told what to do by its parent. Adapters are alike: they open a
 * queue and its workers, take jobs that do nothing, and tell of each one that is durably recorded as done.
 */
import { once } from 'node:events';

/**
 * @typedef {object} Order
 * @property {keyof typeof ADAPTERS} adapter
 * @property {string} databaseUrl a database of its own, for peers that live in Postgres
 * @property {number} redisPort 0 where there is none
 * @property {string} directory a directory of its own, for peers that bring a server
 * @property {number} jobs
 * @property {number} concurrency
 * @property {number} samples jobs of an otherwise idle peer, one after the other
 */

/**
 * @typedef {object} OpenPeer
 * @property {(listener: () => void) => void} whenDone called for each job whose completion is recorded
 * @property {(count: number) => Promise<void>} enqueue puts so many jobs there, the quickest way there is
 * @property {() => Promise<void>} close
 */

/** @typedef {(given: Order) => Promise<OpenPeer>} Adapter */

/** @param {OpenPeer} peer @param {number} jobs @returns {Promise<number>} milliseconds from enqueueing to the last end */
async function through(peer, jobs) {
  let left = jobs;
  const startedAt = performance.now();
  /** @type {PromiseWithResolvers<void>} */
  const done = Promise.withResolvers();
  peer.whenDone(() => {
    left -= 1;
    if (left === 0) done.resolve();
  });
  await Promise.all([peer.enqueue(jobs), done.promise]);
  return performance.now() - startedAt;
}

/** Each is loaded alone: peers patch what they find. */
const ADAPTERS = {
  bullmq: () => import('./adapters/bullmq.mjs'),
  'graphile-worker': () => import('./adapters/graphile-worker.mjs'),
  'pg-boss': () => import('./adapters/pg-boss.mjs'),
  dbos: () => import('./adapters/dbos.mjs'),
  restate: () => import('./adapters/restate.mjs'),
};

/** How many jobs are done first, so that everything is prepared and compiled. */
const WARMING_UP = 200;

const [order] = /** @type {[Order]} */ (await once(process, 'message'));
process.once('disconnect', () => process.exit(0));
const { default: open } = await ADAPTERS[order.adapter]();
const peer = await open(order);
await through(peer, WARMING_UP);
const tookMs = await through(peer, order.jobs);
const samples = [];
for (let sample = 0; sample < order.samples; sample += 1) samples.push(await through(peer, 1));
await peer.close();
process.send?.({ tookMs, samples }, () => process.exit(0));
