package example;

import jakarta.websocket.CloseReason;
import jakarta.websocket.OnOpen;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerEndpoint;
import java.io.IOException;

/** Says who has opened it. */
@ServerEndpoint("/ws")
public final class Socket {
    /** Its principal is the user's, a PomeriumPrincipal with the whole identity; null if there is none. */
    @OnOpen
    public void open(Session session) throws IOException {
        session.getBasicRemote().sendText(session.getUserPrincipal() == null ? "" : session.getUserPrincipal().getName());
        session.close(new CloseReason(CloseReason.CloseCodes.NORMAL_CLOSURE, ""));
    }
}
