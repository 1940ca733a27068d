import { Module } from '@nestjs/common';

/** Serves health and metrics alone: what is to be planned arrives over the bus. */
@Module({})
export class PlannerModule {}
