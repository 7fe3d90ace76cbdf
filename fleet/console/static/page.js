// The kiosk's and the session's page: when the fleet says that something changed, the content is fetched anew.

import { tick } from "./ages.js";
import { whenFree } from "./hand.js";
import { listen } from "./stream.js";
import { renew } from "./swap.js";

export function startPage(url) {
  const main = document.getElementById("main");
  const address = new URL(location.href);
  address.searchParams.set("fragment", "1");
  let busy = false;
  let wanted = false;

  async function kiosk() {
    wanted = true;
    if (busy) return;
    busy = true;
    try {
      while (wanted) {
        wanted = false;
        const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(10000) });
        if (!answer.ok) break; // the stream says that the connection is lost, or the next change asks again
        const news = await answer.text();
        whenFree(() => {
          renew(main, news);
          tick();
        });
      }
    } catch (error) {
      console.warn("The page could not be renewed; the next change asks again.", error);
    } finally {
      busy = false;
    }
  }

  listen(url, { kiosk });
}
