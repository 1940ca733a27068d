export {
  GitHubChecks,
  showsContent,
  type CheckOperation,
  type GitHubChecksOptions,
  type KnownCheck,
} from './github/github-checks.ts';
export { normaliseGitHubWebhook, type NormalisedWebhook, type WebhookRequest } from './github/normalise-webhook.ts';
export { isSignedByGitHub, signLikeGitHub } from './github/webhook-signature.ts';
export { desiredPublications } from './publications/desired-publications.ts';
export type { ForgeAnswer, ForgeFailure } from './publications/forge-failure.ts';
export {
  GATE_NAME,
  GATE_TARGET,
  type Annotation,
  type CheckConclusion,
  type CheckContent,
  type CheckStatus,
  type Publication,
  type PublicationLinks,
} from './publications/publication.ts';
export {
  ServedRepository,
  findServedRepository,
  findSourceToken,
  loadForgeSettings,
  type ForgeSettings,
  type LoadedForges,
} from './settings.ts';
