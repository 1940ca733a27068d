import { z } from 'zod';

/** Rates are better when they are higher, everything else when it is lower. */
export const Unit = z.enum(['/s', 'ms', 's', 'MB', '% of a core', '']);
export type Unit = z.infer<typeof Unit>;

/** The least that anybody would have to do for the same result, measured in the same run and the same unit. */
const Raw = z.strictObject({ what: z.string(), value: z.number() });

/** One number of a measure. */
export const Figure = z.strictObject({
  /** `append.run-events`: the measure, a dot, and what of it. The same from run to run, so that runs can be compared. */
  name: z.string().regex(/^[a-z0-9-]+\.[a-z0-9.-]+$/),
  value: z.number(),
  unit: Unit,
  raw: Raw.optional(),
  /** How it was measured, or what bounded it. */
  note: z.string().optional(),
});
export type Figure = z.infer<typeof Figure>;

export const isRate = ({ unit }: Pick<Figure, 'unit'>): boolean => unit === '/s';

/** The figure by its raw limit: a share of it for rates (below 1), a multiple of it for times (above 1). */
export const ofRaw = ({ value, raw }: Figure): number | null => (raw === undefined ? null : value / raw.value);

/** The figure as people read it: three digits that mean something, and the unit. */
export function words({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  return unit === '' || unit.startsWith('/') ? `${number(value)}${unit}` : `${number(value)} ${unit}`;
}

/** Times and shares keep three digits; whole numbers are grouped by thousands. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
