/** The door to hosts by name, for an agent with `container.network: { allow: […] }`. */
import { DOOR_PORTS } from '../../container/doors.ts';
import type { DoorOpener } from './door-opener.ts';

export const openNameDoor: DoorOpener = async ({ agent, key }, { egress }, restriction) => {
  const { names } = agent.container;
  if (names === null) return null;
  const open = await egress.open({
    key,
    agent: agent.name,
    names,
    // guard: egress: opened to a restricted run only by its agent’s file
    restriction: () => (agent.networkInRestrictedRuns ? null : restriction()),
  });
  const environment = proxyVariables(`http://127.0.0.1:${DOOR_PORTS.names}`);
  return {
    door: { name: 'names', socket: open.socketPath, environment, mounts: [] },
    restricted: () => {
      if (!agent.networkInRestrictedRuns) open.shut();
    },
    close: () => open.close(),
  };
};

const THIS_CONTAINER = 'localhost,127.0.0.1,::1';

/** Some tools read only the lower-case names, others only the upper-case ones. */
export function proxyVariables(proxy: string): Record<string, string> {
  const values = { http_proxy: proxy, https_proxy: proxy, no_proxy: THIS_CONTAINER };
  const upper = Object.entries(values).map(([name, value]) => [name.toUpperCase(), value]);
  return { ...values, ...Object.fromEntries(upper) };
}
