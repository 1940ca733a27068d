import type { RecipeId, RecipeSummary } from '@delta-ci/contracts';
import type { LogConnection } from '../connection.ts';
import { RECIPES, recipeSummaryOf, type RecipeRow } from './recipe-summary.ts';

/** A recipe as the tables know it; what it holds is in the artifact store, under its digest. */
export interface KnownRecipe {
  readonly summary: RecipeSummary;
  /** Whether no newer one stands under its fingerprint. */
  readonly newest: boolean;
  /** Successful runs by this description, of trusted changes: those that taught it and those that followed it. */
  readonly successes: number;
}

/** One recipe; null when there is none of that name. */
export async function showRecipe({ pool }: LogConnection, recipeId: RecipeId): Promise<KnownRecipe | null> {
  const { rows } = await pool.query<RecipeRow>(`${RECIPES} WHERE r.recipe_id = $1`, [recipeId]);
  if (rows[0] === undefined) return null;
  const summary = recipeSummaryOf(rows[0]);
  const { repository, fingerprint, version, digest } = summary;
  const newer = await pool.query<{ newer: boolean }>(NEWER, [repository, fingerprint, version]);
  const counted = await pool.query<{ successes: number }>(SUCCESSES, [
    repository,
    digest,
    RUNS_LOOKED_AT,
    PLAN_BYTES_READ,
  ]);
  return { summary, newest: newer.rows[0]?.newer !== true, successes: counted.rows[0]?.successes ?? 0 };
}

const NEWER = `SELECT EXISTS (
  SELECT FROM recipe WHERE repository_id = $1 AND fingerprint = $2 AND version > $3
) AS newer`;

/** Plans have to be read for it, so it is only done for one recipe at a time, and not for ever back. */
const RUNS_LOOKED_AT = 50;

/** Bytes of plans that are read for it, from the newest run back: a plan may be large, and fifty of them a database's memory. */
const PLAN_BYTES_READ = 16 * 1_024 ** 2;

/**
 * A run that taught the recipe says so by a row; one that followed it and proved nothing new, by its plan. A command of a
 * repository may hold a NUL, which `jsonb` cannot.
 */
const SUCCESSES = `
  WITH ended AS (
    SELECT plan_digest, row_number() OVER (ORDER BY created_at_ms DESC, run_id DESC) AS place FROM run
    WHERE repository_id = $1 AND outcome = 'succeeded' AND plan_digest IS NOT NULL AND change ->> 'trust' = 'trusted'
    ORDER BY created_at_ms DESC, run_id DESC LIMIT $3
  ),
  measured AS (
    SELECT plan.digest, sum(octet_length(plan.body)) OVER (ORDER BY ended.place) AS bytes
    FROM ended JOIN plan ON plan.digest = ended.plan_digest
  ),
  followed AS (
    SELECT replace(plan.body, '\\u0000', '\\ufffd')::jsonb -> 'source' -> 'recipe' AS recipe
    FROM measured JOIN plan ON plan.digest = measured.digest WHERE measured.bytes <= $4
  )
  SELECT (
    (SELECT count(*) FROM recipe WHERE repository_id = $1 AND digest = $2) +
    (SELECT count(*) FROM followed WHERE recipe -> 'used' ->> 'digest' = $2 AND recipe -> 'teaches' = 'null'::jsonb)
  )::integer AS successes`;
