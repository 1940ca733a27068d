import { Controller, Inject, Param, Res } from '@nestjs/common';
import { ENDPOINTS, type RunArtifact } from '@delta-ci/contracts';
import { showRun } from '@delta-ci/event-log';
import type { Reply } from '../http/exchange.ts';
import { foundOr, refusedWith, type Refused } from '../http/refused.ts';
import { Route } from '../http/route.ts';
import { PARTS, type GatewayParts } from '../parts.ts';
import { jobIn } from './job-in.ts';

/** Long enough to begin a download; one under way goes on. */
const DOWNLOAD_MS = 5 * 60_000;

interface OfJob {
  readonly runId: string;
  readonly jobKey: string;
}

/** Artifacts of jobs. The store knows many runs: only what this run recorded is handed out through it. */
@Controller()
export class ArtifactController {
  readonly #parts: GatewayParts;

  constructor(@Inject(PARTS) parts: GatewayParts) {
    this.#parts = parts;
  }

  @Route('listArtifacts')
  async list(@Param({ schema: ENDPOINTS.listArtifacts.params }) params: OfJob): Promise<{ artifacts: RunArtifact[] }> {
    return { artifacts: await this.#recorded(params) };
  }

  @Route('downloadArtifact')
  async download(
    @Param({ schema: ENDPOINTS.downloadArtifact.params }) params: OfJob & { digest: string },
    @Res() reply: Reply,
  ): Promise<void> {
    const { digest } = params;
    const recorded = await this.#recorded(params);
    const named = recorded.filter((each) => each.digest === digest);
    const artifact = foundOr(
      named.find(({ expiredAtMs }) => expiredAtMs === undefined) ?? named[0],
      `artifact ${digest} of ${params.jobKey}`,
    );
    if (artifact.expiredAtMs !== undefined) throw refusedAsGone(artifact, artifact.expiredAtMs);
    const { artifacts } = this.#parts.store;
    const disposition = asAttachment(artifact.name);
    const gone = `content of ${digest} any more`;
    if (artifacts.direct !== null) {
      const address = foundOr(await artifacts.direct.grantDownload(digest, disposition, DOWNLOAD_MS), gone);
      // An address that holds for minutes is not to be kept by anybody on the way.
      reply.code(302).header('location', address).header('cache-control', 'no-store').send();
      return;
    }
    const content = foundOr(await artifacts.open(digest), gone);
    reply
      // Whatever a job wrote is nothing a browser should show.
      .header('content-type', 'application/octet-stream')
      .header('content-disposition', disposition)
      .header('content-length', String(content.sizeBytes))
      .send(content.stream);
  }

  async #recorded({ runId, jobKey }: OfJob): Promise<RunArtifact[]> {
    const run = foundOr(await showRun(this.#parts.log, runId), `run ${runId}`);
    return jobIn(run, jobKey).attempts.flatMap(({ attempt, artifacts }) =>
      artifacts.map((each) => ({ ...each, attempt })),
    );
  }
}

function refusedAsGone({ name, retentionDays }: RunArtifact, expiredAtMs: number): Refused {
  const since = new Date(expiredAtMs).toISOString();
  const details = { policy: 'retention-days', retentionDays, expiredAtMs };
  return refusedWith('gone', `${name} was kept for ${retentionDays} days, and is no longer since ${since}`, details);
}

function asAttachment(path: string): string {
  const name = encodeURIComponent(path.split('/').at(-1) ?? 'artifact').replace(/['()*]/g, percentEncoded);
  return `attachment; filename*=UTF-8''${name}`;
}

/** Characters that `encodeURIComponent` leaves and RFC 8187 does not allow. */
const percentEncoded = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
