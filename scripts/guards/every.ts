/** Every guard of the product. Read by scripts/prove.ts and test/guards.test.ts. */
import { ATTACH_GUARDS } from './attach.ts';
import { BODIES_GUARDS } from './bodies.ts';
import { BROKER_GUARDS } from './broker.ts';
import { COMMANDS_GUARDS } from './commands.ts';
import { CONFIG_CHECK_GUARDS } from './config-check.ts';
import { CONFIG_FILES_GUARDS } from './config-files.ts';
import { CONTAINERS_GUARDS } from './containers.ts';
import { CORE_GUARDS } from './core.ts';
import { DEPENDENCIES_GUARDS } from './dependencies.ts';
import { EGRESS_GUARDS } from './egress.ts';
import { FORGE_GUARDS } from './forge.ts';
import { GATEWAY_GUARDS } from './gateway.ts';
import { GATEWAY_ABUSE_GUARDS } from './gateway-abuse.ts';
import type { Guard } from './guard.ts';
import { INIT_GUARDS } from './init.ts';
import { INTAKE_GUARDS } from './intake.ts';
import { LAYERS_GUARDS } from './layers.ts';
import { LAYOUTS_GUARDS } from './layouts.ts';
import { LFS_GUARDS } from './lfs.ts';
import { LOGS_GUARDS } from './logs.ts';
import { MARKS_AND_MERGES_GUARDS } from './marks-and-merges.ts';
import { MCP_GUARDS } from './mcp.ts';
import { MODEL_GUARDS } from './model.ts';
import { MODEL_LIMITS_GUARDS } from './model-limits.ts';
import { MONEY_GUARDS } from './money.ts';
import { NETWORK_GUARDS } from './network.ts';
import { OUTGOING_GUARDS } from './outgoing.ts';
import { PACKAGE_KINDS_GUARDS } from './package-kinds.ts';
import { PACKAGES_GUARDS } from './packages.ts';
import { PEOPLE_GUARDS } from './people.ts';
import { PLACE_GUARDS } from './place.ts';
import { PROMPT_GUARDS } from './prompt.ts';
import { RECONCILER_GUARDS } from './reconciler.ts';
import { RED_TEAM_GUARDS } from './red-team.ts';
import { RELAY_GUARDS } from './relay.ts';
import { SMOKE_GUARDS } from './smoke.ts';
import { START_GUARDS } from './start.ts';
import { STEERING_GUARDS } from './steering.ts';
import { TEAM_GUARDS } from './team.ts';
import { TEXTS_GUARDS } from './texts.ts';
import { TRUST_GUARDS } from './trust.ts';
import { TRUST_LIMITS_GUARDS } from './trust-limits.ts';
import { TRUTH_GUARDS } from './truth.ts';
import { VOICES_GUARDS } from './voices.ts';
import { WORDS_GUARDS } from './words.ts';

export const GUARDS: Guard[] = [
  ...CORE_GUARDS,
  ...STEERING_GUARDS,
  ...ATTACH_GUARDS,
  ...CONTAINERS_GUARDS,
  ...GATEWAY_GUARDS,
  ...PACKAGES_GUARDS,
  ...BROKER_GUARDS,
  ...RELAY_GUARDS,
  ...TRUST_GUARDS,
  ...LAYOUTS_GUARDS,
  ...LAYERS_GUARDS,
  ...SMOKE_GUARDS,
  ...RED_TEAM_GUARDS,
  ...INTAKE_GUARDS,
  ...CONFIG_FILES_GUARDS,
  ...MARKS_AND_MERGES_GUARDS,
  ...OUTGOING_GUARDS,
  ...GATEWAY_ABUSE_GUARDS,
  ...TEXTS_GUARDS,
  ...VOICES_GUARDS,
  ...BODIES_GUARDS,
  ...TRUTH_GUARDS,
  ...LFS_GUARDS,
  ...PACKAGE_KINDS_GUARDS,
  ...PLACE_GUARDS,
  ...WORDS_GUARDS,
  ...FORGE_GUARDS,
  ...MODEL_LIMITS_GUARDS,
  ...MONEY_GUARDS,
  ...TRUST_LIMITS_GUARDS,
  ...NETWORK_GUARDS,
  ...START_GUARDS,
  ...CONFIG_CHECK_GUARDS,
  ...MODEL_GUARDS,
  ...PROMPT_GUARDS,
  ...LOGS_GUARDS,
  ...COMMANDS_GUARDS,
  ...EGRESS_GUARDS,
  ...MCP_GUARDS,
  ...RECONCILER_GUARDS,
  ...PEOPLE_GUARDS,
  ...INIT_GUARDS,
  ...DEPENDENCIES_GUARDS,
  ...TEAM_GUARDS,
];
