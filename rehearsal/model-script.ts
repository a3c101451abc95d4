/**
 * The script of the rehearsal model: which scene answers which prompt, step by step, and what goes wrong on the way.
 * docs/rehearsal-model.md teaches the format.
 */
import { Liquid } from 'liquidjs';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { ConfigError, type ConfigProblem } from '../src/errors.ts';
import { STAGES } from './model-stream.ts';

/** Unknown variables are '': a capture that matched nothing is not an error. Unknown filters are. */
export const liquid = new Liquid({ strictVariables: false, strictFilters: true });

const template = z.string().superRefine((text, ctx) => {
  try {
    liquid.parse(text);
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: `is no Liquid template: ${(error as Error).message}` });
  }
});

/** Flags i and s: prompts are prose, and a pattern may span several lines. */
const pattern = z.string().transform((source, ctx): RegExp => {
  try {
    return new RegExp(source, 'is');
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: `is no regular expression: ${(error as Error).message}` });
    return z.NEVER;
  }
});

const stage = z.enum(STAGES);
const milliseconds = z.number().int().min(0).max(3_600_000);

const faultKinds = {
  /** the API's error answer; with `after`, an error event inside a stream that began well */
  error: z.strictObject({
    status: z.number().int().min(400).max(599),
    type: z.string().optional(),
    message: template.optional(),
    headers: z.record(z.string(), template).default({}),
    after: stage.exclude(['request', 'headers']).optional(),
  }),
  /** the connection is cut */
  disconnect: z.strictObject({ after: stage }),
  /** silence; then the reply goes on after `ms`, or never */
  stall: z.strictObject({ after: stage, ms: milliseconds.optional() }),
  /** the whole reply, but late and in drops */
  slow: z.strictObject({ first_ms: milliseconds.default(0), chunk_ms: milliseconds.default(0) }),
  /** an answer that ends with `stop_reason: refusal`, as the API's policy makes it; billed as any other */
  refusal: z.strictObject({ text: template.default('') }),
  /** an answer that is cut off with `stop_reason: max_tokens`; billed as any other */
  max_tokens: z.strictObject({ text: template.default('') }),
  /** silence until `release(name)` */
  hold: z.strictObject({ name: z.string().min(1), after: stage.default('half') }),
};

const fault = z
  .strictObject({
    error: faultKinds.error.optional(),
    disconnect: faultKinds.disconnect.optional(),
    stall: faultKinds.stall.optional(),
    slow: faultKinds.slow.optional(),
    refusal: faultKinds.refusal.optional(),
    max_tokens: faultKinds.max_tokens.optional(),
    hold: faultKinds.hold.optional(),
    /** how many requests meet this fault before the next one in the list, or the plain reply, has its turn */
    times: z.union([z.number().int().min(1), z.literal('always')]).default(1),
  })
  .superRefine((value, ctx) => {
    const named = Object.keys(faultKinds).filter((kind) => kind in value);
    if (named.length !== 1) {
      const names = Object.keys(faultKinds).join(', ');
      ctx.addIssue({ code: 'custom', message: `names ${named.length} faults; one entry is one of ${names}` });
    }
  });

const tool = z.strictObject({
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()).default({}).superRefine(checkTemplates),
});

const stepShape = z.strictObject({
  text: template.default(''),
  tools: z.array(tool).default([]),
  faults: z.array(fault).default([]),
});

const step = stepShape.superRefine((value, ctx) => {
  const always = value.faults.some(
    (f) => f.times === 'always' && (f.error || f.disconnect || f.refusal || f.max_tokens),
  );
  if (value.text === '' && value.tools.length === 0 && !always) {
    ctx.addIssue({ code: 'custom', message: 'has neither text nor tools, and an empty reply is no reply' });
  }
});

const scene = z.strictObject({
  name: z.string().min(1),
  when: z
    .strictObject({
      prompt: pattern.optional(),
      history: pattern.optional(),
      system: pattern.optional(),
      model: pattern.optional(),
    })
    .default({}),
  recall: z.record(z.string().regex(/^\w+$/), pattern).default({}),
  steps: z.array(step).min(1),
});

const script = z.strictObject({
  scenes: z
    .array(scene)
    .default([])
    .superRefine((scenes, ctx) => {
      const twice = scenes.find((s, at) => scenes.findIndex((other) => other.name === s.name) !== at);
      if (twice) ctx.addIssue({ code: 'custom', message: `has two scenes named "${twice.name}"` });
    }),
  fallback: step.prefault({ text: 'Done.' }),
  side: z.strictObject({ text: z.string().min(1) }).default({ text: 'ok' }),
});

export type ModelScript = z.output<typeof script>;
export type Scene = ModelScript['scenes'][number];
export type Step = z.output<typeof step>;
export type Fault = z.output<typeof fault>;

/** Throws ConfigError that names every problem; `file` is only what the problems call the text. */
export function parseModelScript(yamlText: string, file: string): ModelScript {
  const document = parseDocument(yamlText);
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => yamlProblem(file, error.message)));
  }
  const data: unknown = document.toJS() ?? {};
  const result = script.safeParse(data);
  if (result.success) return result.data;
  throw new ConfigError(result.error.issues.map((issue) => describe(file, data, issue)));
}

function checkTemplates(value: unknown, ctx: z.RefinementCtx, path: PropertyKey[] = []): void {
  if (typeof value === 'string') {
    for (const issue of template.safeParse(value).error?.issues ?? []) {
      ctx.addIssue({ code: 'custom', message: issue.message, path });
    }
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) checkTemplates(inner, ctx, [...path, key]);
  }
}

function yamlProblem(file: string, message: string): ConfigProblem {
  const [sentence = message] = message.split('\n');
  return {
    file,
    path: '',
    value: null,
    problem: `is no valid YAML: ${sentence.replace(/:$/, '')}`,
    remedy: 'Correct the YAML at that line.',
  };
}

function describe(file: string, data: unknown, issue: z.core.$ZodIssue): ConfigProblem {
  const value = issue.path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown>)?.[key], data);
  const scalar = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return {
    file,
    path: issue.path.join('.'),
    value: scalar ? String(value).slice(0, 80) : null,
    problem: issue.message,
    remedy: 'Correct it as docs/rehearsal-model.md shows.',
  };
}
