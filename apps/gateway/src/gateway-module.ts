import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AuthorisationGuard } from './access/authorisation-guard.ts';
import { AuditController } from './audit/audit-controller.ts';
import { CacheController } from './caches/cache-controller.ts';
import { LeaseCacheController } from './caches/lease-cache-controller.ts';
import { DebugController } from './debug/debug-controller.ts';
import { HeldJobController } from './debug/held-job-controller.ts';
import { FeedController } from './feed/feed-controller.ts';
import { RefusalFilter } from './http/refusal-filter.ts';
import { RequestPipe } from './http/request-pipe.ts';
import { OpenIdController } from './id-tokens/open-id-controller.ts';
import { LogController } from './logs/log-controller.ts';
import { PARTS, type GatewayParts } from './parts.ts';
import { ParkedController } from './parked/parked-controller.ts';
import { PolicyController } from './policies/policy-controller.ts';
import { MomentController } from './moments/moment-controller.ts';
import { PoolController } from './pools/pool-controller.ts';
import { RecipeController } from './recipes/recipe-controller.ts';
import { OpenApiController } from './reference/open-api-controller.ts';
import { LeaseController } from './runners/lease-controller.ts';
import { RunnerController } from './runners/runner-controller.ts';
import { UploadController } from './runners/upload-controller.ts';
import { ArtifactController } from './runs/artifact-controller.ts';
import { RunController } from './runs/run-controller.ts';
import { WebhookController } from './webhooks/webhook-controller.ts';

const CONTROLLERS = [
  WebhookController,
  RunController,
  LogController,
  ArtifactController,
  FeedController,
  MomentController,
  PoolController,
  PolicyController,
  RecipeController,
  ParkedController,
  AuditController,
  DebugController,
  HeldJobController,
  RunnerController,
  LeaseController,
  UploadController,
  LeaseCacheController,
  CacheController,
  OpenApiController,
  OpenIdController,
];

/** Routes, the guard before them, the pipe that checks what they take, and the filter behind them. */
@Module({})
export class GatewayModule {
  static with(parts: GatewayParts): DynamicModule {
    return {
      module: GatewayModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: PARTS, useValue: parts },
        { provide: APP_GUARD, useValue: new AuthorisationGuard(parts.proofs) },
        { provide: APP_PIPE, useClass: RequestPipe },
        { provide: APP_FILTER, useValue: new RefusalFilter(parts.logger) },
      ],
    };
  }
}
