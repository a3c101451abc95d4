/** Which step of which scene answers a request, and the step's templates filled in. */
import type { Conversation } from './model-conversation.ts';
import { liquid, type ModelScript, type Scene, type Step } from './model-script.ts';
import type { ReplyContent } from './model-stream.ts';

export interface Cue {
  /** null: no scene matched, or the scene has no step left; `step` is the script's fallback then */
  scene: Scene | null;
  step: Step;
  /** names the step for the count of its faults */
  key: string;
}

export type TemplateVariables = Record<string, unknown>;

/** The first scene in file order whose every condition holds. */
export function findCue(script: ModelScript, conversation: Conversation, model: string): Cue {
  const scene = script.scenes.find(({ when }) =>
    [
      [when.prompt, conversation.prompt] as const,
      [when.history, conversation.history] as const,
      [when.system, conversation.systemText] as const,
      [when.model, model] as const,
    ].every(([pattern, text]) => pattern === undefined || pattern.test(text)),
  );
  const step = scene?.steps[conversation.step];
  if (scene === undefined || step === undefined)
    return { scene: null, step: script.fallback, key: 'fallback' };
  return { scene, step, key: `${scene.name}/${conversation.step}` };
}

/** `now` in epoch milliseconds; templates see it in seconds, as rate-limit headers count. */
export function templateVariables(cue: Cue, conversation: Conversation, now: number): TemplateVariables {
  const recall = Object.entries(cue.scene?.recall ?? {}).map(([name, pattern]) => [
    name,
    lastCapture(pattern, conversation.everything),
  ]);
  return {
    prompt: conversation.prompt,
    step: conversation.step,
    cwd: conversation.cwd,
    last_tool_result: conversation.lastToolResult,
    recall: Object.fromEntries(recall),
    now: Math.floor(now / 1000),
  };
}

export function fillStep(step: Step, variables: TemplateVariables): ReplyContent {
  return {
    text: fill(step.text, variables),
    tools: step.tools.map((call) => ({ name: call.name, input: fillDeep(call.input, variables) })),
  };
}

export function fill(template: string, variables: TemplateVariables): string {
  return liquid.parseAndRenderSync(template, variables);
}

function fillDeep(value: unknown, variables: TemplateVariables): unknown {
  if (typeof value === 'string') return fill(value, variables);
  if (Array.isArray(value)) return value.map((inner) => fillDeep(inner, variables));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, fillDeep(inner, variables)]));
}

function lastCapture(pattern: RegExp, text: string): string {
  const last = [...text.matchAll(new RegExp(pattern.source, `${pattern.flags}g`))].at(-1);
  return last?.[1] ?? '';
}
