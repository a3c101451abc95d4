/** Hooks of a repository, of an owner, or of the whole forge, made and taken away by an administrator. */
import { z } from 'zod';
import { ForgeMissing } from '../../errors.ts';
import type { HookPlace, SetupHooks } from '../setup.ts';
import { subscriptionsFor } from './hook-subscriptions.ts';
import { hookAnswer, toHook } from './hooks.ts';
import type { ForgeHttp } from './http.ts';
import type { FamilyMember } from './member.ts';

export function createSetupHooks(member: FamilyMember, http: ForgeHttp): SetupHooks {
  return {
    async listHooksAt(place) {
      const at = await hooksAt(http, place);
      const path = `${at.path}?limit=50`;
      return (
        (await http.send({ ...at, method: 'GET', path }, z.array(hookAnswer).nullish())).value?.map(toHook) ??
        []
      );
    },
    async createHookAt(place, { url, secret }) {
      const at = await hooksAt(http, place);
      const system = place.level === 'system' ? { is_system_webhook: 'true' } : {};
      const body = {
        type: member,
        // Left out, the hook would be inactive, and its events push alone.
        active: true,
        events: subscriptionsFor(member).everything,
        config: { url, content_type: 'json', secret, ...system },
      };
      return toHook((await http.send({ ...at, method: 'POST', body }, hookAnswer)).value);
    },
    async deleteHookAt(place, id) {
      const at = await hooksAt(http, place);
      try {
        await http.tell({ ...at, method: 'DELETE', path: `${at.path}/${id}` });
      } catch (error) {
        if (!(error instanceof ForgeMissing)) throw error;
      }
    },
  };
}

async function hooksAt(http: ForgeHttp, place: HookPlace): Promise<{ path: string; sudo?: string }> {
  const { path, sudo } = await hooksPath(http, place);
  return sudo === null ? { path } : { path, sudo };
}

/** An organization has a route of its own; a person's hooks are made in that person's name, which takes a site administrator. */
export async function hooksPath(
  http: ForgeHttp,
  place: HookPlace,
): Promise<{ path: string; sudo: string | null }> {
  switch (place.level) {
    case 'repository': {
      const name = place.repository.fullName.split('/').map(encodeURIComponent).join('/');
      return { path: `/repos/${name}/hooks`, sudo: null };
    }
    case 'system':
      return { path: '/admin/hooks', sudo: null };
    case 'owner': {
      const organization = `/orgs/${encodeURIComponent(place.owner)}`;
      try {
        await http.tell({ method: 'GET', path: organization });
        return { path: `${organization}/hooks`, sudo: null };
      } catch (error) {
        if (!(error instanceof ForgeMissing)) throw error;
        return { path: '/user/hooks', sudo: place.owner };
      }
    }
  }
}
