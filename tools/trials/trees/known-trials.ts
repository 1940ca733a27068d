import type { Trial } from '../trial.ts';
import { cmake, make } from './c.ts';
import { cargo } from './cargo.ts';
import { elixir } from './elixir.ts';
import { goModule, goWorkspace } from './go.ts';
import { maven } from './maven.ts';
import { python } from './python.ts';
import { ruby } from './ruby.ts';

/** In the order in which they are made. */
export const TRIALS: readonly Trial[] = [make, cmake, cargo, goModule, goWorkspace, python, ruby, elixir, maven];

/** Ecosystems whose jobs were never carried out here, and why. */
export const NOT_TRIED: Readonly<Record<string, string>> = {
  dotnet: 'Debian has no SDK of .NET',
  gradle: "Debian's Gradle is 4.4, which knows none of the Java and Gradle of today",
  php: 'there is no trial of it yet',
};
