/** Layers in lines. */
import { oneLine, type Paint, plain, showTime, type Tone } from '../../terminal-text.ts';
import type { LayerView } from '../../views/layers.ts';
import { columns, indent } from './columns.ts';

export function renderLayers(layers: LayerView[], paint: Paint = plain): string {
  if (layers.length === 0) return 'There is no layer: no set-up commands have run.';
  return layers.flatMap((one) => renderLayer(one, paint)).join('\n');
}

const TONES = {
  building: 'active',
  ready: 'good',
  failed: 'bad',
  unwanted: 'quiet',
} as const satisfies Record<LayerView['state'], Tone>;

function renderLayer(one: LayerView, paint: Paint): string[] {
  const reason = one.reason === null ? '' : `: ${oneLine(one.reason)}`;
  const facts = [
    [
      'for',
      `${oneLine(one.repository)}, in ${one.engine}${one.image === null ? '' : ` ${oneLine(one.image)}`}`,
    ],
    ['made', `${showTime(one.createdAt)} by dispatch ${one.madeBy}, ${megabytes(one.bytes)}`],
    ...(one.usedAt === null ? [] : [['used', showTime(one.usedAt)]]),
    ...(one.state === 'failed' && one.retryAt !== null ? [['again', `after ${showTime(one.retryAt)}`]] : []),
    ...(one.state === 'failed' ? logLines(one.logEnd) : []),
  ];
  return [
    `layer ${one.key.slice(0, 12)}: ${paint(TONES[one.state], one.state)}${reason}`,
    ...indent(columns(facts)),
  ];
}

const SHOWN_LINES = 8;

/** The end of what set-up commands wrote, as rows of a table. */
export function logLines(logEnd: string | null): string[][] {
  const lines = (logEnd ?? '').split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-SHOWN_LINES).map((line, n) => [n === 0 ? 'log' : '', oneLine(line, 110)]);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
