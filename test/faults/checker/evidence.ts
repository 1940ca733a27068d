import { z } from 'zod';
import { INVARIANT_IDS } from './invariants.ts';

/** What the checker is given: where to look, what had to be shown, and nothing of what the scenario saw. */
export const Evidence = z.strictObject({
  scenario: z.string(),
  databaseUrl: z.string(),
  natsUrl: z.string(),
  forge: z.strictObject({ apiUrl: z.string(), token: z.string() }),
  effectsFile: z.string(),
  artifactDir: z.string(),
  serviceLogsDir: z.string(),
  meshDirectory: z.string(),
  /** Runs that were answered 202. */
  acceptedRuns: z.array(z.string()),
  /** Values that may stand nowhere. */
  secrets: z.array(z.string().min(8)),
  bounds: z.strictObject({ slackMs: z.number().positive() }),
  /** Must have been judged on at least one subject each. */
  required: z.array(z.enum(INVARIANT_IDS as [(typeof INVARIANT_IDS)[number]])),
});
export type Evidence = z.infer<typeof Evidence>;
