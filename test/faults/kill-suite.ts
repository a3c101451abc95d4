/** `kill -9` at every fault point, on one database. */
import { afterAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { DialectName } from '../../src/database/dialect.ts';
import { describeDatabases, type OpenTestDatabase } from '../support/databases.ts';
import { needs } from '../support/requirements.ts';
import { isRun, type Kill, kills, tellHowToReplay } from './case.ts';
import { expectAllKept, expectPaidOnce } from './guarantees.ts';
import { Injector } from './injector.ts';
import { REQUESTS_PER_TURN } from './story.ts';

