import type { IncomingHttpHeaders } from 'node:http';
import { MessageId, refuse, type Refusal } from '@delta-ci/contracts';
import { isSignedByGitHub, normaliseGitHubWebhook, type ForgeSettings, type WebhookRequest } from '@delta-ci/forge';
import { parseJson } from '../http/parse-json.ts';

/** A delivery whose signature was checked, in our words. */
export interface ReadDelivery {
  readonly forge: ForgeSettings;
  readonly deliveryId: string;
  readonly event: string;
  readonly request: WebhookRequest;
}

export type DeliveryReading = { ok: true; delivery: ReadDelivery } | { ok: false; refusal: Refusal };

/**
 * Reads a GitHub delivery. The signature over the raw bytes comes first: nothing else of a delivery is looked at before
 * it is known whose it is. Forges may share a secret, so the first that serves the repository takes it.
 */
export function readDelivery(
  forges: readonly ForgeSettings[],
  headers: IncomingHttpHeaders,
  body: Uint8Array,
): DeliveryReading {
  const signature = textOf(headers['x-hub-signature-256']);
  const signers = forges.filter(({ webhookSecret }) => isSignedByGitHub(body, signature, webhookSecret));
  if (signers.length === 0) return no('invalid_signature', 'no webhook secret of ours made this signature');
  const event = textOf(headers['x-github-event']) ?? '';
  const deliveryId = textOf(headers['x-github-delivery']) ?? '';
  if (!/^[a-z0-9_]{1,100}$/.test(event)) return no('invalid_request', 'X-GitHub-Event names no event');
  if (deliveryId.length > 100 || !MessageId.safeParse(deliveryId).success) {
    return no('invalid_request', 'X-GitHub-Delivery is no delivery id');
  }
  const parsed = parseJson(body);
  if (!parsed.ok) return no('invalid_request', parsed.problem);
  return firstThatServes(signers, event, parsed.value, deliveryId);
}

function firstThatServes(
  signers: readonly ForgeSettings[],
  event: string,
  payload: unknown,
  deliveryId: string,
): DeliveryReading {
  let refusal: Refusal | null = null;
  for (const forge of signers) {
    const normalised = normaliseGitHubWebhook(event, payload, forge);
    if (normalised.ok) return { ok: true, delivery: { forge, deliveryId, event, request: normalised.request } };
    refusal ??= normalised.refusal;
  }
  return { ok: false, refusal: refusal ?? refuse('unsupported_event', 'no forge of ours understands this event') };
}

const no = (code: 'invalid_signature' | 'invalid_request', message: string): DeliveryReading => ({
  ok: false,
  refusal: refuse(code, message),
});

const textOf = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : header?.[0];
