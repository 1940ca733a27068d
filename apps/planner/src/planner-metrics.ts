/** What the planner counts. Codes are not labels where strangers could invent them: the list of ours is closed. */
export const plannerMetrics = {
  plans: {
    kind: 'counter',
    name: 'delta.plans',
    unit: '{plan}',
    help: 'Runs planned, by result: planned, failed',
    labels: ['result'],
  },
  planningDuration: {
    kind: 'histogram',
    name: 'delta.planning_seconds',
    unit: 's',
    help: 'Time from taking a run to its report, by result',
    labels: ['result'],
    // From a warm plan of a small repository to the planning timeout.
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
  },
  plannedJobs: {
    kind: 'counter',
    name: 'delta.planned_jobs',
    unit: '{job}',
    help: 'Jobs of plans, by decision: run, skip',
    labels: ['decision'],
  },
} as const;
