import { createHash } from 'node:crypto';
import { canonicalJson, type Json, type RunView } from '@delta-ci/contracts';
import { gatePublication } from './gate-publication.ts';
import { jobPublication, skippedPublication, type TargetedContent } from './job-publication.ts';
import { GATE_TARGET, type Publication, type PublicationLinks } from './publication.ts';

/**
 * Checks of single jobs, besides the gate. GitHub takes about 500 requests that create something in an hour; a run must
 * leave room for others. What has no check of its own is in the gate's summary.
 */
export const JOB_CHECKS_MAX = 200;

/**
 * What the forge should show of a run as this view has it: the same view gives the same publications, byte for byte. The
 * gate is first while the run goes on, so that it is there at once, and last when it ended, so that whoever sees it final
 * sees everything final.
 */
export function desiredPublications(view: RunView, links: PublicationLinks): Publication[] {
  // What is for debugging counts for nothing, whatever comes of it: no check may say otherwise.
  if (view.rerun?.debug !== undefined) return [];
  const gate = gatePublication(view, links);
  // A check that is open, or grey, might be waited for: shadows are in the gate's summary alone.
  const selected = view.jobs.filter(({ shadow }) => !shadow);
  const jobs = selected.map((job) => jobPublication(view, job, links));
  const skipped = view.skipped.map((job) => skippedPublication(view, job, links));
  const single = [...jobs, ...skipped].slice(0, JOB_CHECKS_MAX);
  const all = view.state === 'finished' ? [...single, gate] : [gate, ...single];
  return all.map((targeted) => publicationOf(targeted, view));
}

function publicationOf({ target, content }: TargetedContent, view: RunView): Publication {
  const final = target === GATE_TARGET && content.status === 'completed' ? view.outcome : null;
  // Through JSON: what is digested is what is sent.
  const sent = canonicalJson(JSON.parse(JSON.stringify(content)) as Json);
  return { target, digest: `sha256:${createHash('sha256').update(sent).digest('hex')}`, final, content };
}
