import type { Plan, PlanNote } from '@delta-ci/contracts';
import { note } from './notes.ts';

/** Whether every job has a key of its own and can ever begin. */
export function orderNotes(plan: Plan): PlanNote[] {
  return [...repeatedKeys(plan), ...brokenNeeds(plan), ...circularNeeds(plan)];
}

function repeatedKeys(plan: Plan): PlanNote[] {
  const seen = new Set<string>();
  return [...plan.jobs, ...plan.skipped].flatMap(({ key }) => {
    if (!seen.has(key)) {
      seen.add(key);
      return [];
    }
    return [note('repeated_key', `two jobs have the key ${key}`, key)];
  });
}

function brokenNeeds(plan: Plan): PlanNote[] {
  const keys = new Set(plan.jobs.map(({ key }) => key));
  return plan.jobs.flatMap(({ key, needs }) =>
    needs
      .filter((need) => !keys.has(need))
      .map((need) => note('unknown_need', `${key} needs ${need}, which does not run`, key)),
  );
}

/** Jobs that can start are taken away until none is left; what remains waits for itself. */
function circularNeeds(plan: Plan): PlanNote[] {
  const keys = new Set(plan.jobs.map(({ key }) => key));
  const waiting = new Map(plan.jobs.map(({ key, needs }) => [key, new Set(needs.filter((need) => keys.has(need)))]));
  const neededBy = new Map<string, string[]>();
  for (const [key, needs] of waiting) {
    for (const need of needs) {
      const dependents = neededBy.get(need);
      if (dependents === undefined) neededBy.set(need, [key]);
      else dependents.push(key);
    }
  }
  const ready = [...waiting].filter(([, needs]) => needs.size === 0).map(([key]) => key);
  for (let key = ready.pop(); key !== undefined; key = ready.pop()) {
    waiting.delete(key);
    for (const dependent of neededBy.get(key) ?? []) {
      const needs = waiting.get(dependent);
      needs?.delete(key);
      if (needs?.size === 0) ready.push(dependent);
    }
  }
  const [first] = waiting.keys();
  if (first === undefined) return [];
  return [note('circular_needs', `these jobs wait for each other: ${[...waiting.keys()].join(', ')}`, first)];
}
