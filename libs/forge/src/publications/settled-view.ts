import type { RunView } from '@delta-ci/contracts';

/**
 * The run as the gate shows it. When nothing but shadows is left, what the run comes to is settled, and nobody who waits for
 * the gate waits for them: it is shown as if the run had ended with its last selected job. Only discovered plans have
 * shadows, and whatever is required in those decides.
 */
export function settledView(view: RunView): RunView {
  const waiting = view.state === 'queued' || view.state === 'running';
  const selected = view.jobs.filter(({ shadow }) => !shadow);
  if (!waiting || selected.length === view.jobs.length) return view;
  if (selected.some(({ state }) => state !== 'finished')) return view;
  const ends = selected.flatMap(({ attempts }) => attempts.flatMap(({ finishedAtMs }) => finishedAtMs ?? []));
  return {
    ...view,
    state: 'finished',
    outcome: selected.every(({ required, outcome }) => !required || outcome === 'succeeded') ? 'succeeded' : 'failed',
    finishedAtMs: ends.length === 0 ? view.createdAtMs : Math.max(...ends),
  };
}
