package example;

import io.github.pomeriumjwt.test.spring.PomeriumTest;
import io.github.pomeriumjwt.test.spring.PomeriumUser;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.ApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;

@SpringBootTest
@PomeriumTest
class AppTest {
    private WebTestClient client;

    @BeforeEach
    void start(@Autowired ApplicationContext application) {
        client = WebTestClient.bindToApplicationContext(application).build();
    }

    @Test
    void strangersAreRefused() {
        client.get().uri("/").exchange().expectStatus().isUnauthorized();
    }

    @Test
    void adminsGetIn() {
        client.get().uri("/admin").headers(PomeriumUser.named("ada").groups("admins")).exchange()
                .expectStatus().isOk()
                .expectBody().jsonPath("$.subject").isEqualTo("ada");
    }

    @Test
    void othersDoNot() {
        client.get().uri("/admin").headers(PomeriumUser.named("bob").groups("staff")).exchange()
                .expectStatus().isForbidden();
    }
}
