/** An answer to people in several places: which part goes where. Pure. */
import { splitMarkdown } from '../mentions.ts';

/** What the agent is asked to write above a part. */
export function answerLine(number: number): string {
  return `Answer for #${number}:`;
}

const ANSWER_LINE =
  /^ {0,3}(?:#{1,6}[ \t]+)?[*_]{0,3}Answer (?:for|on|to) (?:issue |pull request )?#(\d{1,12})[*_]{0,3}:?[*_]{0,3}[ \t]*\r?$/gim;

/**
 * The text for each of `places`. What stands before the first line is for the first place; an empty text says that
 * there is none. Lines in code, and lines for other numbers, are part of the text they stand in.
 */
export function answerParts(answer: string, places: readonly [number, ...number[]]): Map<number, string> {
  const parts = new Map<number, string[]>(places.map((place) => [place, []]));
  if (places.length === 1) return new Map([[places[0], answer]]);
  let into: number = places[0];
  let from = 0;
  for (const line of linesOf(answer)) {
    const place = Number(line[1]);
    if (!parts.has(place)) continue;
    parts.get(into)!.push(answer.slice(from, line.index).trim());
    into = place;
    from = line.index + line[0].length;
  }
  parts.get(into)!.push(answer.slice(from).trim());
  return new Map([...parts].map(([place, texts]) => [place, texts.filter((t) => t !== '').join('\n\n')]));
}

function linesOf(answer: string): RegExpExecArray[] {
  const prose: [number, number][] = [];
  let at = 0;
  for (const part of splitMarkdown(answer)) {
    if (part.prose) prose.push([at, at + part.text.length]);
    at += part.text.length;
  }
  return [...answer.matchAll(ANSWER_LINE)].filter(({ index }) =>
    prose.some(([start, end]) => index >= start && index < end),
  );
}
