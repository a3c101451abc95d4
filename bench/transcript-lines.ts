/** A long transcript out of a short one: its lines again and again, each time under new ids, all in one chain. */
import { randomUUID } from 'node:crypto';

interface Line extends Record<string, unknown> {
  type: string;
  uuid: string;
}

/**
 * At least `bytes` long. Shortly before the end stands a compaction as the CLI writes one, after which the history
 * begins anew: without it the CLI would send all of it to the model.
 */
export function growTranscript(seed: string, bytes: number): Buffer {
  const round = turnLines(seed);
  const written: string[] = [];
  let size = 0;
  let parent: string | null = null;
  const append = (line: Line): void => {
    const text = JSON.stringify({ ...line, parentUuid: parent });
    parent = line.uuid;
    size += Buffer.byteLength(text) + 1;
    written.push(text);
  };
  while (size < bytes) for (const line of renamed(round)) append(line);
  const before: string | null = parent;
  parent = null;
  for (const line of compaction(round[0]!, before)) append(line);
  for (const line of renamed(round)) append(line);
  return Buffer.from(`${written.join('\n')}\n`);
}

/** What was said and done; the CLI's own notes in between are left out. */
function turnLines(seed: string): Line[] {
  return seed
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Line)
    .filter((line) => line.type === 'user' || line.type === 'assistant');
}

/** The same lines with other ids for lines, messages and tool calls. */
function renamed(round: Line[]): Line[] {
  const text = JSON.stringify(round);
  const ids = new Set([
    ...round.map((line) => line.uuid),
    ...[...text.matchAll(/"(?:id|tool_use_id|requestId|promptId)":"([\w-]{8,})"/g)].map((m) => m[1]!),
  ]);
  const names = new Map([...ids].map((id) => [id, fresh(id)]));
  return JSON.parse(
    text.replace(/"([\w-]{8,})"/g, (whole, id: string) => (names.has(id) ? `"${names.get(id)}"` : whole)),
  ) as Line[];
}

/** Of the same kind: `toolu_…`, `msg_…` or a UUID. */
function fresh(id: string): string {
  const kind = /^[a-z]+_/.exec(id)?.[0];
  return kind === undefined ? randomUUID() : `${kind}${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

function compaction(like: Line, before: string | null): Line[] {
  const { isSidechain, timestamp, userType, entrypoint, cwd, sessionId, version, gitBranch } = like;
  const envelope = { isSidechain, timestamp, userType, entrypoint, cwd, sessionId, version, gitBranch };
  return [
    {
      ...envelope,
      type: 'system',
      subtype: 'compact_boundary',
      logicalParentUuid: before,
      content: 'Conversation compacted',
      isMeta: false,
      uuid: randomUUID(),
      level: 'info',
      compactMetadata: { trigger: 'auto', preTokens: 160_000 },
    },
    {
      ...envelope,
      type: 'user',
      message: {
        role: 'user',
        content:
          'This session is being continued from a previous conversation that ran out of context. The summary below covers the earlier portion of the conversation.\n\nThe greeting was looked at many times.',
      },
      isVisibleInTranscriptOnly: true,
      isCompactSummary: true,
      uuid: randomUUID(),
    },
  ];
}
