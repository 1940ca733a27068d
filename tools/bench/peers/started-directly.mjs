/**
 * A queue of our own for peers that are asked job by job: as many jobs under way as told, each of which is done when the
 * peer has answered.
 *
 * @param {number} concurrency
 * @param {(n: number) => Promise<unknown>} run settles once the result is recorded
 * @returns {Pick<import('./peer.mjs').OpenPeer, 'whenDone' | 'enqueue'>}
 */
export function startedDirectly(concurrency, run) {
  let onDone = () => {};
  const waiting = [];
  let working = 0;
  const work = async () => {
    working += 1;
    for (let n = waiting.shift(); n !== undefined; n = waiting.shift()) {
      await run(n);
      onDone();
    }
    working -= 1;
  };
  return {
    whenDone: (listener) => {
      onDone = listener;
    },
    enqueue: async (count) => {
      waiting.push(...Array.from({ length: count }, (_, n) => n));
      for (let free = Math.min(concurrency - working, waiting.length); free > 0; free -= 1) void work();
    },
  };
}
