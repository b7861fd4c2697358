import type { Server } from "node:http";
import { listen, stop } from "../sessions/http-server.js";
import { CONSTANT_ANSWER, ROUTES } from "../sessions/routes.js";
import { serveSessions } from "../sessions/serve-sessions.js";
import { answer, expressApp } from "./express-app.js";

/** Express as its contenders use it, without sessions: what is left when they cost nothing. */
let server: Server | null = null;

serveSessions({
  open: async () => {
    const app = expressApp();
    app.get(ROUTES.me, (_request, response) => answer(response, CONSTANT_ANSWER));
    const listening = await listen(app);
    server = listening.server;
    return listening.port;
  },
  close: () => stop(server),
});
