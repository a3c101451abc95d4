/** The guards, how each is switched off, and the tests that must turn red then. Read by scripts/prove.ts. */
import { BROKER_GUARDS } from './guards-broker.ts';
import { CONTAINER_GUARDS } from './guards-containers.ts';
import { CORE_GUARDS } from './guards-core.ts';
import { GATEWAY_GUARDS } from './guards-gateway.ts';
import { HOUR_CHECK_GUARDS } from './guards-hour-check.ts';
import { HOUR_CLI_GUARDS } from './guards-hour-cli.ts';
import { HOUR_LOGS_GUARDS } from './guards-hour-logs.ts';
import { HOUR_MODEL_GUARDS } from './guards-hour-model.ts';
import { HOUR_NETWORK_GUARDS } from './guards-hour-network.ts';
import { HOUR_PROMPT_GUARDS } from './guards-hour-prompt.ts';
import { HOUR_START_GUARDS } from './guards-hour-start.ts';
import { LAYOUT_GUARDS } from './guards-layouts.ts';
import { RED_TEAM_GUARDS } from './guards-red-team.ts';
import { RELAY_GUARDS } from './guards-relay.ts';
import { SMOKE_GUARDS } from './guards-smoke.ts';
import { TRUST_GUARDS } from './guards-trust.ts';
import { WALLS_BODIES_GUARDS } from './guards-walls-bodies.ts';
import { WALLS_CONFIG_GUARDS } from './guards-walls-config.ts';
import { WALLS_GATEWAY_GUARDS } from './guards-walls-gateway.ts';
import { WALLS_INTAKE_GUARDS } from './guards-walls-intake.ts';
import { WALLS_MARKS_GUARDS } from './guards-walls-marks.ts';
import { WALLS_OUTGOING_GUARDS } from './guards-walls-outgoing.ts';
import { WALLS_TEXTS_GUARDS } from './guards-walls-texts.ts';
import { WALLS_VOICES_GUARDS } from './guards-walls-voices.ts';
import { WORLD_FORGE_GUARDS } from './guards-world-forge.ts';
import { WORLD_LFS_GUARDS } from './guards-world-lfs.ts';
import { WORLD_LIMITS_GUARDS } from './guards-world-limits.ts';
import { WORLD_PLACE_GUARDS } from './guards-world-place.ts';
import { WORLD_TRUST_GUARDS } from './guards-world-trust.ts';
import { WORLD_TRUTH_GUARDS } from './guards-world-truth.ts';
import { WORLD_WORDS_GUARDS } from './guards-world-words.ts';

export interface Guard {
  name: string;
  /** what it keeps from happening */
  keeps: string;
  /** each text must stand in its file exactly once */
  off: { file: string; find: string; replace: string }[];
  tests: { files: string[]; named?: string };
}

export const GUARDS: Guard[] = [
  ...CORE_GUARDS,
  ...CONTAINER_GUARDS,
  ...GATEWAY_GUARDS,
  ...BROKER_GUARDS,
  ...RELAY_GUARDS,
  ...TRUST_GUARDS,
  ...LAYOUT_GUARDS,
  ...SMOKE_GUARDS,
  ...RED_TEAM_GUARDS,
  ...WALLS_INTAKE_GUARDS,
  ...WALLS_CONFIG_GUARDS,
  ...WALLS_MARKS_GUARDS,
  ...WALLS_OUTGOING_GUARDS,
  ...WALLS_GATEWAY_GUARDS,
  ...WALLS_TEXTS_GUARDS,
  ...WALLS_VOICES_GUARDS,
  ...WALLS_BODIES_GUARDS,
  ...WORLD_TRUTH_GUARDS,
  ...WORLD_LFS_GUARDS,
  ...WORLD_PLACE_GUARDS,
  ...WORLD_WORDS_GUARDS,
  ...WORLD_FORGE_GUARDS,
  ...WORLD_LIMITS_GUARDS,
  ...WORLD_TRUST_GUARDS,
  ...HOUR_NETWORK_GUARDS,
  ...HOUR_START_GUARDS,
  ...HOUR_CHECK_GUARDS,
  ...HOUR_MODEL_GUARDS,
  ...HOUR_PROMPT_GUARDS,
  ...HOUR_LOGS_GUARDS,
  ...HOUR_CLI_GUARDS,
];
