import { CreateLog1763600000001 } from './migrations/1763600000001-create-log.ts';
import { CreateProjections1763600000002 } from './migrations/1763600000002-create-projections.ts';
import { CreateCheckpoints1763600000003 } from './migrations/1763600000003-create-checkpoints.ts';
import { IndexMoments1763600000004 } from './migrations/1763600000004-index-moments.ts';
import { CreateStreamMarks1763600000005 } from './migrations/1763600000005-create-stream-marks.ts';
import { CreateRecipes1763600000006 } from './migrations/1763600000006-create-recipes.ts';
import { KeepStepsOfPlans1763600000007 } from './migrations/1763600000007-keep-steps-of-plans.ts';
import { ExpireArtifacts1763600000009 } from './migrations/1763600000009-expire-artifacts.ts';
import { CreateCaches1763600000010 } from './migrations/1763600000010-create-caches.ts';
import { IndexLeasesThatEnded1763600000011 } from './migrations/1763600000011-index-leases-that-ended.ts';
import { IndexLeftOutJobs1763600000008 } from './migrations/1763600000008-index-left-out-jobs.ts';

/** Every migration, oldest first. A released migration is never edited: the next change is the next class. */
export const MIGRATIONS = [
  CreateLog1763600000001,
  CreateProjections1763600000002,
  CreateCheckpoints1763600000003,
  IndexMoments1763600000004,
  CreateStreamMarks1763600000005,
  CreateRecipes1763600000006,
  KeepStepsOfPlans1763600000007,
  IndexLeftOutJobs1763600000008,
  ExpireArtifacts1763600000009,
  CreateCaches1763600000010,
  IndexLeasesThatEnded1763600000011,
] as const;
