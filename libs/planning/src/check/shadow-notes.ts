import { isShadow, type Plan, type PlanNote } from '@delta-ci/contracts';
import { note } from './notes.ts';

/** Whether shadows stay what they are: jobs of trusted changes that decide about nothing and go last. */
export function shadowCheckNotes({ jobs, trust }: Plan): PlanNote[] {
  const shadows = jobs.filter(({ policy }) => isShadow(policy));
  const lowest = Math.min(...jobs.map(({ policy }) => policy.priority));
  const keys = new Set(shadows.map(({ key }) => key));
  return [
    ...shadows
      .filter(({ policy }) => policy.required || !policy.allowFailure || policy.priority > lowest)
      .map(({ key }) => note('shadow_decides', `${key} is a shadow, and its run would wait for it or fail by it`, key)),
    ...jobs
      .filter(({ needs }) => needs.some((need) => keys.has(need)))
      .map(({ key }) => note('shadow_decides', `${key} waits for a shadow`, key)),
    ...(trust === 'trusted'
      ? []
      : shadows.map(({ key }) =>
          note('shadow_for_untrusted', `${key} is a shadow of a change that is not trusted`, key),
        )),
  ];
}
