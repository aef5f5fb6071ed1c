package example;

import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.jsonPath;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import io.github.pomeriumjwt.test.spring.PomeriumTest;
import io.github.pomeriumjwt.test.spring.PomeriumUser;
import io.github.pomeriumjwt.test.spring.WithPomeriumUser;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.test.web.servlet.MockMvc;

@SpringBootTest
@AutoConfigureMockMvc
@PomeriumTest
class AppTest {
    @Autowired
    private MockMvc mvc;

    @Test
    void strangersAreRefused() throws Exception {
        mvc.perform(get("/")).andExpect(status().isUnauthorized());
    }

    @Test
    @WithPomeriumUser(groups = "admins")
    void adminsGetIn() throws Exception {
        mvc.perform(get("/admin")).andExpect(status().isOk()).andExpect(jsonPath("$.subject").value("alice"));
    }

    @Test
    void othersDoNot() throws Exception {
        mvc.perform(get("/admin").with(PomeriumUser.named("bob").groups("staff"))).andExpect(status().isForbidden());
    }
}
