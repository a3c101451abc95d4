/** Values of options, refused in words before anything is opened. The library puts the option's name before them. */
import { InvalidArgumentError } from 'commander';
import { REPOSITORY } from '../views/references.ts';
import { SERVICE_PARTS, type ServicePart } from '../wiring/service-parts.ts';

const MOST_LISTED = 10_000;

export function readLimit(text: string): number {
  return readNumber(text, { least: 1, most: MOST_LISTED });
}

export function readPort(text: string): number {
  return readNumber(text, { least: 0, most: 65_535, means: ' (0 takes any free port)' });
}

function readNumber(
  text: string,
  { least, most, means = '' }: { least: number; most: number; means?: string },
) {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  // guard: cli: numbers are refused in words
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}${means}.`);
}

export function readWords(text: string): string {
  if (text.trim() !== '') return text.trim();
  throw new InvalidArgumentError('Give a text that is not empty.');
}

/** For options that may be given more than once, or with several values. */
export function readMoreWords(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), readWords(text)];
}

/** Parts of the service, with commas between. */
export function readParts(text: string): ServicePart[] {
  const named = text.split(',').map((name) => name.trim());
  const unknown = named.filter((name) => !(SERVICE_PARTS as readonly string[]).includes(name));
  if (unknown.length > 0) {
    const what = unknown.map((name) => (name === '' ? 'A part has no name' : `There is no part ${name}`));
    throw new InvalidArgumentError(
      `${what.join('. ')}. Name one or more of ${SERVICE_PARTS.join(', ')}, with commas between.`,
    );
  }
  return SERVICE_PARTS.filter((part) => named.includes(part));
}

export interface NamedRepository {
  forge: string | null;
  /** `owner/name` */
  repository: string;
}

export function readRepository(text: string): NamedRepository {
  const [, forge, repository] = REPOSITORY.exec(text) ?? [];
  if (repository !== undefined) return { forge: forge ?? null, repository };
  throw new InvalidArgumentError('Give a repository as owner/name or forge:owner/name.');
}

const UNITS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?) ?(Z|[+-]\d\d:\d\d)?)?$/;

/** A time in the past: how long ago, or a date as every command prints it. Milliseconds since the epoch. */
export function readSince(text: string, now: number = Date.now()): number {
  const ago = /^(\d{1,6})([smhdw])$/.exec(text);
  const time = ago === null ? readDate(text) : now - Number(ago[1]) * UNITS[ago[2]!]!;
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(
      'Give how long ago, as 90s, 30m, 2h, 7d or 1w, or a date, as 2026-01-31 or "2026-01-31 13:05Z" (without a zone it is UTC).',
    );
  }
  if (time > now) throw new InvalidArgumentError('That is in the future. Give a time that has passed.');
  return time;
}

/** A time to come: in how long, or a date as every command prints it. Milliseconds since the epoch. */
export function readUntil(text: string, now: number = Date.now()): number {
  const ahead = /^(\d{1,6})([smhdw])$/.exec(text);
  const time = ahead === null ? readDate(text) : now + Number(ahead[1]) * UNITS[ahead[2]!]!;
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(
      'Give in how long, as 30m, 2h, 7d or 1w, or a date, as 2026-12-31 or "2026-12-31 13:05Z" (without a zone it is UTC).',
    );
  }
  if (time <= now) throw new InvalidArgumentError('That has passed. Give a time to come.');
  return time;
}

function readDate(text: string): number {
  const [, day, clock = '00:00', zone = 'Z'] = DATE.exec(text) ?? [];
  if (day === undefined) return Number.NaN;
  // Date takes the 31st of February for the 3rd of March.
  const midnight = new Date(`${day}T00:00:00Z`);
  // guard: cli: a date that does not exist is none
  const isReal = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  return isReal ? Date.parse(`${day}T${clock}${zone}`) : Number.NaN;
}
