import { Module } from '@nestjs/common';

/** Serves health and metrics alone. */
@Module({})
export class ReporterModule {}
