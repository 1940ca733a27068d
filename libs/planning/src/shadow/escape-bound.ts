/**
 * Share of all repetitions in which a bound may be too low. One-sided: that optimisations may be better than they look
 * harms nobody.
 */
const MISSED_SHARE = 0.05;

/** Halvings of the interval: below what a share of changes is ever told with. */
const HALVINGS = 50;

/**
 * The one-sided upper bound, at 95 % confidence, of the share of changes in which a failure escapes, when it did in
 * `escapes` of `samples`: the exact bound of Clopper and Pearson ("The use of confidence or fiducial limits illustrated in
 * the case of the binomial", Biometrika 26, 1934), the largest share under which so few escapes are not rarer than 5 %.
 * Never too low more often than that, whatever the share is; 1 without a sample.
 */
export function escapeBound(escapes: number, samples: number): number {
  if (escapes >= samples) return 1;
  let [low, high] = [escapes / samples, 1];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    if (atMost(escapes, samples, middle) > MISSED_SHARE) low = middle;
    else high = middle;
  }
  return high;
}

/** Probability of at most `most` of `count`, each with the probability `share`; as logarithms, which do not run out. */
function atMost(most: number, count: number, share: number): number {
  const odds = Math.log(share) - Math.log1p(-share);
  let term = count * Math.log1p(-share);
  let sum = Math.exp(term);
  for (let at = 1; at <= most; at += 1) {
    term += odds + Math.log((count - at + 1) / at);
    sum += Math.exp(term);
  }
  return sum;
}
