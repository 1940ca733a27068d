import { cargoDetector } from './cargo.ts';
import { cmakeDetector } from './cmake.ts';
import type { Detector } from './detector.ts';
import { dockerDetector } from './docker.ts';
import { dotnetDetector } from './dotnet.ts';
import { elixirDetector } from './elixir.ts';
import { goDetector } from './go.ts';
import { gradleDetector } from './gradle.ts';
import { mavenDetector } from './maven.ts';
import { npmDetector } from './npm.ts';
import { pnpmDetector } from './pnpm.ts';
import { phpDetector } from './php.ts';
import { pythonDetector } from './python.ts';
import { rubyDetector } from './ruby.ts';
import { tasksDetector } from './tasks.ts';

/** In the order in which their units are listed where several share a folder. */
export const DETECTORS: readonly Detector[] = [
  npmDetector,
  pnpmDetector,
  goDetector,
  mavenDetector,
  gradleDetector,
  dotnetDetector,
  cargoDetector,
  pythonDetector,
  rubyDetector,
  phpDetector,
  elixirDetector,
  cmakeDetector,
  tasksDetector,
  dockerDetector,
];
