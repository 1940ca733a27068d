import type { Optimisation, PlanNote, PlanShadow } from '@delta-ci/contracts';
import { assessChange, assessEverything } from '../impact/assess-change.ts';
import type { Impact } from '../impact/impact.ts';
import type { Comparison, Discovery, PlanningInputs } from '../model.ts';
import { judgeEntry, type JudgedEntry } from './judge-entry.ts';
import { isSampled } from './sample.ts';
import type { ShadowInput } from './shadow-input.ts';
import { whyOff } from './shadow-words.ts';

/** What the shadow ledger has to do with one plan. */
export interface ShadowPlan {
  readonly input: ShadowInput;
  readonly sample: PlanShadow['sample'];
  /** What a change reaches when every optimisation is in force. */
  readonly narrow: Impact;
  /** By which whatever is left out is left out. */
  readonly by: readonly Optimisation[];
  readonly off: readonly JudgedEntry[];
}

/** The optimisation under which nothing runs when no file changed. */
const NO_CHANGE = 'no-change';

/** Null where no ledger is kept, and where there is nothing to leave out by. */
export function shadowPlanOf(inputs: PlanningInputs, narrow: Impact): ShadowPlan | null {
  const { shadow, comparison, commit, change } = inputs;
  if (shadow === null || change.trust !== 'trusted' || comparison.kind === 'everything') return null;
  const by = comparison.changes.length === 0 ? [NO_CHANGE] : [...new Set(narrow.files.map(({ rule }) => rule))].sort();
  const off = shadow.entries.map((entry) => judgeEntry(entry, shadow.rules)).filter(({ on }) => !on);
  const sampled = isSampled(commit, shadow.rules);
  return {
    input: shadow,
    sample: sampled ? (whyShed(shadow) === null ? 'taken' : 'shed') : 'not-taken',
    narrow,
    by,
    off,
  };
}

/** What a change reaches when the optimisations that are switched off leave nothing out. */
export function impactWithout(
  { off, narrow, by, input }: ShadowPlan,
  comparison: Extract<Comparison, { kind: 'changes' }>,
  after: Discovery,
  before: Discovery,
): Impact {
  const concerned = new Map(
    off.filter(({ optimisation }) => by.includes(optimisation)).map((each) => [each.optimisation, whyOff(each, input)]),
  );
  if (concerned.size === 0) return narrow;
  const idle = concerned.get(NO_CHANGE);
  if (idle !== undefined) return assessEverything(after, `although no file changed, everything runs: ${idle}`);
  return assessChange(after, before, comparison.changes, concerned);
}

/** Null when a change of the sample can be looked at. */
function whyShed({ busy, unfit }: ShadowInput): string | null {
  if (busy) return 'work is waiting';
  return unfit === undefined ? null : `there is no plan with it: ${unfit}`.slice(0, 4_000);
}

/** One note for each optimisation that is switched off, and one where a sample was not taken for want of room. */
export function shadowNotes(shadow: ShadowPlan | null): PlanNote[] {
  if (shadow === null) return [];
  const { off, input, sample } = shadow;
  const shed: PlanNote = {
    severity: 'info',
    code: 'shadows_shed',
    message: `the change is in the sample that also runs what is left out, and it does not, because ${whyShed(input) ?? ''}`,
    subject: null,
  };
  const notes = off.map((entry): PlanNote => {
    const { optimisation } = entry;
    return { severity: 'warning', code: 'optimisation_off', message: whyOff(entry, input), subject: optimisation };
  });
  return sample === 'shed' ? [...notes, shed] : notes;
}
