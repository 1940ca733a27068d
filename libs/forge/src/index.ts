export { normaliseGitHubWebhook, type NormalisedWebhook, type WebhookRequest } from './github/normalise-webhook.ts';
export { isSignedByGitHub, signLikeGitHub } from './github/webhook-signature.ts';
export {
  ServedRepository,
  findServedRepository,
  loadForgeSettings,
  type ForgeSettings,
  type LoadedForges,
} from './settings.ts';
