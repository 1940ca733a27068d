// Entered by plain processes too: what needs Jest (`container-engine.ts`) is imported by its own path.
export { eventually, type EventuallyOptions } from './eventually.ts';
export { freshDatabase, type FreshDatabase } from './fresh-database.ts';
export { freshNats, type FreshNats } from './fresh-nats.ts';
export { bubblewrapPath } from './sandbox-program.ts';
export { somebodyWaits } from './somebody-waits.ts';
export { undisturbed } from './undisturbed.ts';
