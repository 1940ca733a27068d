import type { PublicationLinks } from './publication.ts';

/** Run ids and job keys are safe in addresses by their grammar. */
export const runUrl = ({ gatewayUrl }: PublicationLinks, runId: string): string =>
  `${gatewayUrl.replace(/\/+$/, '')}/api/v1/runs/${runId}`;

export const logUrl = (links: PublicationLinks, runId: string, jobKey: string): string =>
  `${runUrl(links, runId)}/jobs/${jobKey}/log`;

export const whyUrl = (links: PublicationLinks, runId: string, jobKey: string): string =>
  `${runUrl(links, runId)}/why/${jobKey}`;
