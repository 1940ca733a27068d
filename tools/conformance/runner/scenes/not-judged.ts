import type { InfrastructureError, LeaseOffer } from '@delta-ci/contracts';
import { madeLease, say, type Wishes } from '../made-lease.ts';
import type { RunnerRequirement } from '../requirements.ts';
import type { ServedSource } from '../served-source.ts';
import type { Scene } from '../stage.ts';
import { reportText } from './steps.ts';

interface NotJudged {
  readonly name: string;
  readonly judges: RunnerRequirement;
  readonly wishes: (source: ServedSource) => Wishes;
  /** Null for any. */
  readonly code: InfrastructureError['code'] | null;
}

const wrongly = (source: ServedSource, over: Partial<LeaseOffer['source']>): Wishes => ({
  offer: { source: { ...source.access('public'), ...over } },
});

const CASES: readonly NotJudged[] = [
  {
    name: 'a tree that is not the planned one',
    judges: 'tree-is-checked',
    wishes: (source) => wrongly(source, { tree: 'e'.repeat(40) }),
    code: 'tree_mismatch',
  },
  {
    name: 'a commit that is not there',
    judges: 'source-is-there',
    wishes: (source) => wrongly(source, { commit: 'd'.repeat(40) }),
    code: 'source_unavailable',
  },
  {
    name: 'an image that nobody has',
    judges: 'refuses-what-it-lacks',
    wishes: () => ({ job: { image: 'registry.invalid/nobody/has-it:1' } }),
    code: null,
  },
];

/** Jobs that cannot be judged, for a reason that is not theirs. */
export const notJudged: readonly Scene[] = CASES.map(({ name, judges, wishes, code }) => ({
  name,
  judges: [judges],
  lease: (source) => madeLease(source, [say('ran-all-the-same')], wishes(source)),
  play: async (stage) => {
    const report = await stage.report();
    const log = stage.gateway.book.log().toString();
    const ran = log.includes('ran-all-the-same\n');
    const error = report?.infrastructureError?.code;
    const holds = report?.outcome === 'failed' && error !== undefined && (code === null || error === code) && !ran;
    const expected = `failed with the infrastructure error ${code ?? 'layer_missing, or one that fits'}, and no step that ran`;
    const seen =
      report === null ? `no report; ${stage.state()}` : `${reportText(report)}${ran ? ', and the step ran' : ''}`;
    stage.judge(judges, holds, expected, seen, stage.reports());
  },
}));
