import { parentPort } from 'node:worker_threads';
import { addressOf } from '../network/simulated-http.ts';
import { takeOverGlobals } from '../engine/simulated-globals.ts';
import { engine, isPresent, world } from '../engine/present.ts';
import { loadProduct } from '../world/product.ts';
import { runSeed, type SeedOrder } from '../world/seed.ts';

/** One realm: loads the product once, then runs the seeds it is given, one after the other. */

const product = await loadProduct();
takeOverGlobals();
globalThis.fetch = (input, init) => world().http.fetch(addressOf(input), init);

// A promise that nobody looked after would end a production process.
process.on('unhandledRejection', (reason) => {
  if (isPresent()) engine().fail(reason instanceof Error ? reason : new Error(String(reason)));
});

parentPort?.on('message', (order: SeedOrder | 'end') => {
  if (order === 'end') parentPort?.close();
  else void answer(order);
});
parentPort?.postMessage('ready', []);

async function answer(order: SeedOrder): Promise<void> {
  parentPort?.postMessage(await runSeed(product, order), []);
}
