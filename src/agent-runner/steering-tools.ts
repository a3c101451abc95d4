/**
 * A marked session may not write steering files with the CLI's own tools. This is asked at each call, because a session can
 * be marked during a run and the CLI's settings are fixed at its start. A shell can still write them; that is put back.
 */
import { posix } from 'node:path';
import type { Place } from '../container/place.ts';
import { type Root, steers } from '../steering/paths.ts';

const WRITING = ['Edit', 'MultiEdit', 'Write', 'NotebookEdit'];

/** The sentence to refuse with, or null. */
export function refuseSteering(
  marked: string | null,
  place: Pick<Place, 'cwd' | 'config' | 'home'>,
  call: { tool: string; input: unknown },
): string | null {
  if (marked === null || !WRITING.includes(call.tool)) return null;
  const { file_path: file, notebook_path: notebook } = (call.input ?? {}) as Record<string, unknown>;
  const path = [file, notebook].find((name) => typeof name === 'string');
  if (path === undefined || !isSteering(place, path)) return null;
  return `This file steers later runs, and this session may not change it: ${marked}. Say in your final answer what should stand there.`;
}

function isSteering(place: Pick<Place, 'cwd' | 'config' | 'home'>, path: string): boolean {
  const whole = posix.resolve(place.cwd, path.replace(/^~(?=\/|$)/, place.home));
  const roots: [Root, string][] = [
    ['cli', place.config],
    ['checkout', place.cwd],
    ['home', place.home],
  ];
  return roots.some(([root, folder]) => {
    const below = posix.relative(folder, whole);
    return below !== '' && !below.startsWith('..') && steers(root, below);
  });
}
