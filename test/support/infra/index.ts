export { eventually, type EventuallyOptions } from './eventually.ts';
export { freshDatabase, type FreshDatabase } from './fresh-database.ts';
export { freshNats, type FreshNats } from './fresh-nats.ts';
export { whereAnEngineAnswers } from './container-engine.ts';
export { bubblewrapPath } from './sandbox-program.ts';
export { undisturbed } from './undisturbed.ts';
