/**
 * Where everything is inside a container. Pure; no other file knows these paths.
 *
 * - The checkout is at `/work/<repository>`: the same for every conversation and on every host, so that paths in a
 *   history stay true wherever it is resumed.
 * - `/state` is what the conversation keeps: the CLI folder, home, temporary files. Caches are where their settings say.
 *   The CLI tells the model where its folder is. With a path for each conversation every system prompt would differ, and
 *   conversations could not share the model's cache. (The CLI finds a session by its id in whatever folder it is given.)
 * - An older history names the CLI folder by its path on this machine; for such a history it is there as well.
 * - `/run/claude-hooks` has the model's socket and the relay.
 *
 * An engine that does not isolate shows everything at its own path.
 */
import { join } from 'node:path';
import type { ContainerEngine, ContainerSpec, Limits, Mount, Overlay } from './container.ts';
import { type ContainerDoor, DOOR_PORTS, hasDoors, type InnerDoors } from './doors.ts';

const DOORS = '/run/claude-hooks';
/** HOME of an engine that isolates. */
export const HOME_INSIDE = '/state/home';
const CONFIG_INSIDE = '/state/cli';
const TEMPORARY_INSIDE = '/state/tmp';
/** The path has no space, because it is one option among others. */
const FORWARDER_INSIDE = `${DOORS}/model-forwarder.js`;
const BRIDGE_INSIDE: Bridge = { script: `${DOORS}/forge-bridge.js`, socket: `${DOORS}/forge.sock` };
const DOOR_SCRIPT_INSIDE = `${DOORS}/doors.js`;

export interface PlaceRequest {
  /** the checkout on this machine, and the last part of its path inside */
  checkout: string;
  checkoutName: string;
  /** CLI folder, HOME and TMPDIR on this machine */
  folders: { config: string; home: string; temporary: string };
  /** true when the history names paths of the CLI folder as they are on this machine. Without it: false */
  namesFolder?: boolean;
  /**
   * paths in the CLI folder that this run may not write, where the engine isolates; they must exist. Without it: none
   */
  closed?: readonly string[];
  /** the gateway's socket on this machine */
  socket: string;
  /** the CLI's binary on this machine */
  cli: string;
  /** script for a CLI that does not take the socket by itself; null = it does */
  forwarder: string | null;
  /**
   * doors besides model and forge, and the script that listens for them, on this machine. Where `hasDoors` says no, they
   * are left out. Without it: none
   */
  doors?: { script: string; open: readonly ContainerDoor[] } | null;
  /**
   * for a CLI that a person has at a terminal: the socket of the forge's tools, and the script that leads its MCP server
   * there, on this machine. Without it: the tools come over the SDK
   */
  bridge?: Bridge | null;
  relay: { root: string; origin: string };
  settings: {
    image: string | null;
    memoryBytes: number | null;
    cpus: number | null;
    pids: number;
    user: { uid: number; gid: number } | null;
    network: 'none' | 'host';
    mounts: readonly Mount[];
  };
  /** folders that outlive the container */
  caches: Mount[];
  /** what set-up commands made, as this conversation has it; without it: nothing */
  layers?: readonly LayerMount[];
  /** the worker's own PATH, for an engine that does not isolate */
  path: string;
}

export interface Bridge {
  script: string;
  socket: string;
}

/** A folder that set-up commands made, and where this conversation's changes to it are. */
export interface LayerMount {
  /** `path` is relative to it */
  root: 'checkout' | 'home';
  path: string;
  /** on this machine; with `over` the shared folder, which nobody may write, otherwise the conversation's own copy */
  source: string;
  over: Overlay | null;
}

/** The same things as the agent sees them. */
export interface Place {
  /** its PATH; null = the image's own */
  path: string | null;
  cwd: string;
  config: string;
  home: string;
  temporary: string;
  socket: string;
  cli: string;
  forwarder: string | null;
  /** null = no doors besides model and forge */
  doors: InnerDoors | null;
  /** null = none was asked for */
  bridge: Bridge | null;
  spec: Omit<ContainerSpec, 'instance' | 'dispatch'>;
}

/** Paths of the relay as the agent sees them, the same for all; null = those of this machine. */
export function relayInside(engine: Pick<ContainerEngine, 'isolates'>): typeof RELAY_INSIDE | null {
  return engine.isolates ? RELAY_INSIDE : null;
}

const RELAY_INSIDE = { root: `${DOORS}/relay`, origin: `${DOORS}/origin.git` };

export function placeOf(engine: Pick<ContainerEngine, 'name' | 'isolates'>, request: PlaceRequest): Place {
  if (!engine.isolates) return samePlace(request);
  const doors = hasDoors(engine, request.settings.network) ? (request.doors ?? null) : null;
  return { ...insidePlace({ ...request, doors }), path: engine.name === 'bubblewrap' ? STANDARD_PATH : null };
}

const STANDARD_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function samePlace(r: PlaceRequest): Place {
  const written = [r.checkout, r.folders.config, r.folders.home, r.folders.temporary];
  return {
    path: r.path,
    cwd: r.checkout,
    ...r.folders,
    socket: r.socket,
    cli: r.cli,
    forwarder: r.forwarder,
    doors: null,
    bridge: r.bridge ?? null,
    spec: {
      ...common(r),
      // A bare process cannot change its user; whoever configured one has been told.
      // guard: the user of a bare process
      user: null,
      mounts: [
        ...written.map((path) => mount(path, path, 'write')),
        ...r.caches,
        ...r.settings.mounts,
      ].filter((m) => m.source === m.target),
    },
  };
}

function insidePlace(r: PlaceRequest): Omit<Place, 'path'> {
  const cwd = `/work/${r.checkoutName}`;
  const socket = `${DOORS}/model.sock`;
  const relay = RELAY_INSIDE;
  const mounts = [
    mount(r.cli, r.cli, 'read'),
    owned(r.folders.home, HOME_INSIDE),
    owned(r.folders.temporary, TEMPORARY_INSIDE),
    // guard: prompt: one path for every CLI folder, part 1
    ...cliFolderAt(CONFIG_INSIDE, r),
    ...(r.namesFolder === true ? cliFolderAt(r.folders.config, r) : []),
    owned(r.checkout, cwd),
    owned(r.socket, socket),
    shown(r.relay.origin, relay.origin),
    owned(`${r.relay.root}/push.git`, `${relay.root}/push.git`),
    owned(`${r.relay.root}/outbox`, `${relay.root}/outbox`),
    // guard: relay: answers are the worker’s
    shown(`${r.relay.root}/answers`, `${relay.root}/answers`),
    shown(`${r.relay.root}/programs`, `${relay.root}/programs`),
    ...(r.forwarder === null ? [] : [shown(r.forwarder, FORWARDER_INSIDE)]),
    ...(r.layers ?? []).map((layer) => layerMount(layer, cwd)),
    ...doorMounts(r.doors),
    ...(r.bridge == null
      ? []
      : [shown(r.bridge.script, BRIDGE_INSIDE.script), owned(r.bridge.socket, BRIDGE_INSIDE.socket)]),
    ...r.caches.map((cache) => owned(cache.source, cache.target)),
    ...r.settings.mounts,
  ];
  return {
    cwd,
    // guard: prompt: one path for every CLI folder, part 2
    config: CONFIG_INSIDE,
    home: HOME_INSIDE,
    temporary: TEMPORARY_INSIDE,
    socket,
    cli: r.cli,
    forwarder: r.forwarder === null ? null : FORWARDER_INSIDE,
    doors: innerDoors(r.doors),
    bridge: r.bridge == null ? null : BRIDGE_INSIDE,
    spec: { ...common(r), mounts },
  };
}

function layerMount({ root, path, source, over }: LayerMount, cwd: string): Mount {
  const target = join(root === 'checkout' ? cwd : HOME_INSIDE, path);
  // guard: layers: writes land in the conversation’s own folder
  return { ...owned(source, target), ...(over === null ? {} : { over }) };
}

/** Where set-up commands run: a checkout, HOME and TMPDIR of their own, and nothing that an agent has written. */
export interface SetUpPlaceRequest {
  checkout: string;
  checkoutName: string;
  home: string;
  temporary: string;
  settings: PlaceRequest['settings'];
  memoryBytes: number | null;
  /** with the CLI that listens for them, on this machine; null = none are open */
  doors: (NonNullable<PlaceRequest['doors']> & { cli: string }) | null;
}

export type SetUpPlace = Pick<Place, 'path' | 'cwd' | 'home' | 'temporary' | 'doors' | 'spec'>;

/** Roots of kept paths, as the agent has them. */
export function insideOf(checkoutName: string): Record<LayerMount['root'], string> {
  return { checkout: `/work/${checkoutName}`, home: HOME_INSIDE };
}

/** For an engine that isolates. */
export function setUpPlaceOf(engine: Pick<ContainerEngine, 'name'>, r: SetUpPlaceRequest): SetUpPlace {
  const cwd = `/work/${r.checkoutName}`;
  const { memoryBytes } = r;
  return {
    path: engine.name === 'bubblewrap' ? STANDARD_PATH : null,
    cwd,
    home: HOME_INSIDE,
    temporary: TEMPORARY_INSIDE,
    doors: innerDoors(r.doors),
    spec: {
      ...common({ settings: { ...r.settings, memoryBytes } }),
      // guard: layers: the set-up run has no network
      network: 'none',
      mounts: [
        owned(r.home, HOME_INSIDE),
        owned(r.temporary, TEMPORARY_INSIDE),
        owned(r.checkout, cwd),
        ...(r.doors === null ? [] : [mount(r.doors.cli, r.doors.cli, 'read'), ...doorMounts(r.doors)]),
        // Agents may have written in a mount that they can write. Caches are left out for the same reason.
        // guard: layers: the set-up run sees nothing of agents
        ...r.settings.mounts.filter(({ access }) => access === 'read'),
      ],
    },
  };
}

const doorInside = ({ name }: ContainerDoor) => `${DOORS}/${name}.sock`;

function doorMounts(doors: PlaceRequest['doors']): Mount[] {
  if (doors == null || doors.open.length === 0) return [];
  return [
    shown(doors.script, DOOR_SCRIPT_INSIDE),
    ...doors.open.flatMap((door) => [owned(door.socket, doorInside(door)), ...door.mounts]),
  ];
}

function innerDoors(doors: PlaceRequest['doors']): InnerDoors | null {
  if (doors == null || doors.open.length === 0) return null;
  return {
    script: DOOR_SCRIPT_INSIDE,
    doors: doors.open.map((door) => ({
      name: door.name,
      port: DOOR_PORTS[door.name],
      socket: doorInside(door),
    })),
    environment: Object.assign({}, ...doors.open.map(({ environment }) => environment)),
  };
}

function cliFolderAt(target: string, { folders, closed = [] }: PlaceRequest): Mount[] {
  return [
    owned(folders.config, target),
    // guard: prompt: both places of the CLI folder are closed
    // guard: steering: the CLI’s folder is read-only
    ...closed.map((path) => mount(join(folders.config, path), join(target, path), 'read')),
  ];
}

function common({ settings }: Pick<PlaceRequest, 'settings'>): Omit<Place['spec'], 'mounts'> {
  const limits: Limits = {
    memoryBytes: settings.memoryBytes,
    cpus: settings.cpus,
    pids: settings.pids,
  };
  return { image: settings.image, user: settings.user, network: settings.network, limits };
}

function shown(source: string, target: string): Mount {
  return { source, target, access: 'read', shown: true };
}

function owned(source: string, target: string): Mount {
  return { source, target, access: 'write', owned: true };
}

function mount(source: string, target: string, access: Mount['access']): Mount {
  return { source, target, access };
}
