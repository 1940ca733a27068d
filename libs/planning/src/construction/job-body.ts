import type { PlannedJob } from '@delta-ci/contracts';
import type { Unit } from '../model.ts';
import { artifactsOf } from './artifacts.ts';
import type { JobOutline } from './assignments.ts';
import { cachesOf, type KeyFileIds } from './caches.ts';
import type { JobTerms } from './job-terms.ts';
import { stepsOf } from './outlines.ts';

/** What the body of a job is made of. */
export interface JobGround {
  readonly terms: JobTerms;
  readonly byId: ReadonlyMap<string, Unit>;
  readonly keyFiles: KeyFileIds;
}

/** What a job does and with what, apart from its name, its policy and its reasons. */
export type JobBody = Omit<PlannedJob, 'key' | 'title' | 'kind' | 'unit' | 'policy' | 'explanation'>;

/** @param outline with the members that run */
export function bodyOf(outline: JobOutline, { terms, byId, keyFiles }: JobGround): JobBody {
  const { members, assignment } = outline;
  const units = members.map(({ unit }) => unit);
  const toolchain = units.find((unit) => unit.toolchain !== null)?.toolchain ?? null;
  return {
    needs: [],
    steps: stepsOf(outline, byId),
    env: Object.assign({}, ...units.map(({ env }) => env)) as Record<string, string>,
    image: null,
    requirements: terms.requirements(terms.rules.requireToolchains ? toolchain : null),
    limits: terms.limits,
    egress: { allow: [...terms.egressFor([...new Set(units.flatMap(({ hosts }) => hosts))])] },
    secrets: [],
    artifacts: artifactsOf(members),
    caches: cachesOf(
      assignment.members.map(({ unit }) => unit),
      terms,
      keyFiles,
    ),
  };
}
