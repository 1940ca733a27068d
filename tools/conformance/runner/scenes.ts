import type { Scene } from './stage.ts';
import { artifacts } from './scenes/artifacts.ts';
import { comingIn } from './scenes/coming-in.ts';
import { givesUp } from './scenes/gives-up.ts';
import { logs } from './scenes/log.ts';
import { newerGateway } from './scenes/newer-gateway.ts';
import { notJudged } from './scenes/not-judged.ts';
import { secrets } from './scenes/secrets.ts';
import { endings } from './scenes/steps.ts';
import { badDay } from './scenes/trouble.ts';
import { work } from './scenes/work.ts';

/** Every situation that a runner is put into. */
export const SCENES: readonly Scene[] = [
  work,
  ...comingIn,
  badDay,
  newerGateway,
  ...endings,
  ...notJudged,
  ...givesUp,
  ...logs,
  ...artifacts,
  ...secrets,
];
