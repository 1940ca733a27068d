import { planText } from '../screen/show-plan.ts';
import { EXIT, type ExitCode } from '../problem.ts';
import { printJson, type Surroundings } from '../surroundings.ts';
import type { GatewayOptions } from '../api/gateway.ts';
import { gatewayFor } from '../api/gateway.ts';
import { withLocalPlan, type LocalOptions } from './local-options.ts';

export interface PlanOptions extends LocalOptions, GatewayOptions {
  /** Id of a run of a mesh, instead of the local repository. */
  readonly run?: string;
}

/** `delta plan`: which jobs a change would run, and why. */
export async function plan(surroundings: Surroundings, options: PlanOptions): Promise<ExitCode> {
  const { digest, plan: planned } =
    options.run === undefined
      ? await withLocalPlan(surroundings, options, false, async ({ plan: local, digest: id }) => ({
          digest: id,
          plan: local,
        }))
      : await (await gatewayFor(surroundings, options)).plan(options.run);
  if (options.json === true) printJson(surroundings, { digest, plan: planned });
  else surroundings.out(planText(surroundings, planned));
  return EXIT.succeeded;
}
