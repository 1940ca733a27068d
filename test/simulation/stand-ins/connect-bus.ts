import type { Bus } from '@delta-ci/bus';
import { world } from '../engine/present.ts';
import { caller } from './pg.ts';

/** Stands in for the connection to NATS: every host gets one to the simulated bus. */
export const connectBus = (): Promise<Bus> => Promise.resolve(world().connectBus(caller()));
