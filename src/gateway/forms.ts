/** The forms that a value of a request may have, and the comparison of a value with its form. Pure. */

export interface Text {
  is: 'text';
  /** largest length in UTF-16 units; without it only the limit for the whole body counts */
  most?: number;
  /** the only values there are */
  one?: readonly string[];
}
export interface Fields {
  is: 'fields';
  fields: Readonly<Record<string, Form>>;
}
export interface List {
  is: 'list';
  of: Form;
}
export type Form = (
  | Text
  | Fields
  | List
  | { is: 'number' }
  | { is: 'flag' }
  /** null, or a list with nothing in it */
  | { is: 'nothing' }
  /** objects whose `type` says which form they have */
  | { is: 'kinds'; kinds: Readonly<Record<string, Fields & { why?: string }>> }
  | { is: 'textOrList'; text: Text; list: List }
  /**
   * any JSON that the model only reads; `schema`: may not hold addresses that somebody could be asked to fetch
   */
  | { is: 'data'; schema: boolean }
) & {
  /** why it stands on the list although the recordings of the real CLI do not have it */
  why?: string;
};

export const text = (most?: number): Form & Text =>
  most === undefined ? { is: 'text' } : { is: 'text', most };
export const oneOf = (...one: string[]): Form & Text => ({ is: 'text', one });
export const number: Form = { is: 'number' };
export const flag: Form = { is: 'flag' };
export const data: Form = { is: 'data', schema: false };
export const schema: Form = { is: 'data', schema: true };
export const fields = (named: Record<string, Form>): Form & Fields => ({ is: 'fields', fields: named });
export const list = (of: Form): Form & List => ({ is: 'list', of });
export const kinds = (named: Record<string, Fields & { why?: string }>): Form => ({
  is: 'kinds',
  kinds: named,
});
export const textOrList = (of: Form): Form => ({ is: 'textOrList', text: { is: 'text' }, list: list(of) });
/** Puts a form on the list that no recording has, with the reason. */
export const unseen = <F extends Form>(why: string, form: F): F => ({ ...form, why });

const UNLISTED = 'not on the list of what passes to the model';

/** The first value that does not fit. `at` as `messages[3].content[0].type`, '' = the whole request. */
export interface Misfit {
  at: string;
  /** printed after the place, without a full stop: `is no text` */
  problem: string;
}

/** Recursive: `extent.ts` has bounded the depth before. */
export function findMisfit(value: unknown, form: Form): Misfit | null {
  switch (form.is) {
    case 'text':
      return textMisfit(value, form);
    case 'number':
      return typeof value === 'number' ? null : here('is no number');
    case 'flag':
      return typeof value === 'boolean' ? null : here('is neither true nor false');
    case 'nothing':
      return value === null || (Array.isArray(value) && value.length === 0) ? null : here('is not empty');
    case 'list':
      return listMisfit(value, form);
    case 'textOrList':
      return Array.isArray(value) ? listMisfit(value, form.list) : textMisfit(value, form.text);
    case 'fields':
      return fieldsMisfit(value, form);
    case 'kinds':
      return kindsMisfit(value, form.kinds);
    case 'data':
      return dataMisfit(value, form.schema);
  }
}

function textMisfit(value: unknown, { most, one }: Text): Misfit | null {
  if (typeof value !== 'string') return here('is no text');
  // guard: model: tools and sources by their type, part 1
  if (one !== undefined && !one.includes(value)) return here(`is ${shown(value)}, which is ${UNLISTED}`);
  return most !== undefined && value.length > most ? here(`is longer than ${most} characters`) : null;
}

function listMisfit(value: unknown, { of }: List): Misfit | null {
  if (!Array.isArray(value)) return here('is no list');
  for (let n = 0; n < value.length; n++) {
    const misfit = findMisfit(value[n], of);
    if (misfit !== null) return within(`[${n}]`, misfit);
  }
  return null;
}

function fieldsMisfit(value: unknown, form: Fields): Misfit | null {
  if (!isObject(value)) return here('is no object');
  for (const name of Object.keys(value)) {
    // guard: model: fields of a request
    const misfit = Object.hasOwn(form.fields, name)
      ? findMisfit(value[name], form.fields[name]!)
      : here(`is ${UNLISTED}`);
    if (misfit !== null) return within(nameShown(name), misfit);
  }
  return null;
}

function kindsMisfit(value: unknown, named: Readonly<Record<string, Fields>>): Misfit | null {
  if (!isObject(value)) return here('is no object');
  const { type } = value;
  if (typeof type !== 'string') return within('type', here('is missing'));
  // guard: model: tools and sources by their type, part 2
  if (!Object.hasOwn(named, type)) return within('type', here(`is ${shown(type)}, which is ${UNLISTED}`));
  return fieldsMisfit(value, named[type]!);
}

function dataMisfit(value: unknown, isSchema: boolean): Misfit | null {
  if (Array.isArray(value)) {
    for (let n = 0; n < value.length; n++) {
      const misfit = dataMisfit(value[n], isSchema);
      if (misfit !== null) return within(`[${n}]`, misfit);
    }
    return null;
  }
  if (!isObject(value)) return null;
  for (const name of Object.keys(value)) {
    const one = value[name];
    const misfit =
      isSchema && name === '$ref' && typeof one === 'string' && !one.startsWith('#')
        ? here('points outside of the request')
        : dataMisfit(one, isSchema);
    if (misfit !== null) return within(nameShown(name), misfit);
  }
  return null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function here(problem: string): Misfit {
  return { at: '', problem };
}

function within(step: string, { at, problem }: Misfit): Misfit {
  const joined = at === '' || at.startsWith('[') ? `${step}${at}` : `${step}.${at}`;
  // A path is shown to people. Its beginning is enough to find the place.
  return { at: joined.slice(0, 200), problem };
}

/** The name comes from the request: it must not look like a part of our sentence. */
function nameShown(name: string): string {
  return /^[\w$-]{1,60}$/.test(name) ? name : shown(name);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
