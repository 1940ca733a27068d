import { explainSubject, namesakesOf, type Plan, type WhyAnswer } from '@delta-ci/contracts';
import { gatewayFor } from '../api/gateway.ts';
import { nearestName } from '../nearest-name.ts';
import { EXIT, Problem, type ExitCode } from '../problem.ts';
import { whyText } from '../screen/show-plan.ts';
import { safeLine } from '../screen/safe-text.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import { withLocalPlan } from './local-options.ts';
import type { PlanOptions } from './plan.ts';

/** `delta why` and `delta why-not`: the chain from a changed file to the decision about a job, unit or file. */
export async function why(surroundings: Surroundings, subject: string, options: PlanOptions): Promise<ExitCode> {
  const plan =
    options.run === undefined
      ? await withLocalPlan(surroundings, options, false, async (planned) => planned.plan)
      : (await (await gatewayFor(surroundings, options)).plan(options.run)).plan;
  const answer = explainIn(plan, subject);
  if (options.json === true) printJson(surroundings, answer);
  else surroundings.out(whyText(surroundings, answer, namesakesOf(plan, answer)));
  return EXIT.succeeded;
}

/** @throws Problem that names what is nearest, when the plan knows nothing of that name */
export function explainIn(plan: Plan, subject: string): WhyAnswer {
  const answer = explainSubject(plan, subject);
  if (answer !== null) return answer;
  const jobs = [...plan.jobs, ...plan.skipped].map(({ key }) => key);
  const known = [...jobs, ...plan.units.map(({ id }) => id), ...plan.files.map(({ path }) => path)];
  const near = nearestName(subject, known);
  const said = `the plan has no job, unit or changed file "${safeLine(subject)}"`;
  throw new Problem('unknown_subject', said, {
    next:
      near === null
        ? `a file that did not change is in no plan; jobs are ${safeLine(jobs.slice(0, 20).join(', ')) || 'none'}`
        : `did you mean "${safeLine(near)}"?`,
  });
}
