package io.github.pomeriumjwt.spring.boot;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.not;
import static org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.csrf;
import static org.springframework.security.test.web.servlet.request.SecurityMockMvcRequestPostProcessors.securityContext;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.post;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.content;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.header;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.jsonPath;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import example.ExampleApplication;
import io.github.pomeriumjwt.Identity;
import io.github.pomeriumjwt.Verifier;
import io.github.pomeriumjwt.spring.PomeriumAuthentication;
import io.github.pomeriumjwt.test.PomeriumTestIssuer;
import io.github.pomeriumjwt.test.spring.PomeriumUser;
import io.github.pomeriumjwt.test.spring.WithPomeriumUser;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.security.access.AccessDeniedException;
import org.springframework.security.core.context.SecurityContext;
import org.springframework.security.core.context.SecurityContextHolder;
import org.springframework.test.web.servlet.MockMvc;

/** A whole application under MockMvc, and the kit for its tests. */
@MockMvcTest
class StarterTest {
    @Autowired
    private MockMvc mvc;

    @Autowired
    private ExampleApplication application;

    @Autowired
    private PomeriumTestIssuer issuer;

    @Test
    void strangersAreRefused() throws Exception {
        mvc.perform(get("/"))
                .andExpect(status().isUnauthorized())
                .andExpect(content().string("{\"error\":\"token_missing\"}"))
                .andExpect(header().string("WWW-Authenticate", "Bearer error=\"invalid_token\""))
                .andExpect(header().doesNotExist("X-Frame-Options"));
        mvc.perform(get("/nowhere")).andExpect(status().isUnauthorized());
        mvc.perform(get("/css/site.css")).andExpect(status().isUnauthorized());
        mvc.perform(get("/error")).andExpect(status().isUnauthorized());
    }

    @Test
    void tokensOfOthersAreRefused() throws Exception {
        String foreign = new PomeriumTestIssuer().token();
        for (String token : List.of(foreign, issuer.expired(), issuer.wrongAudience(), "x.y.z")) {
            mvc.perform(get("/").header(PomeriumTestIssuer.HEADER, token)).andExpect(status().isUnauthorized());
        }
    }

    @Test
    @WithPomeriumUser(value = "ada", groups = {"admins", "staff"})
    void aUserIsTheAuthenticationPrincipal() throws Exception {
        mvc.perform(get("/"))
                .andExpect(status().isOk())
                .andExpect(jsonPath("$.subject").value("ada"))
                .andExpect(jsonPath("$.session_id").isEmpty())
                .andExpect(jsonPath("$.groups[0]").value("admins"))
                .andExpect(jsonPath("$.expires_at").isNumber());
        mvc.perform(get("/who"))
                .andExpect(jsonPath("$.principal").value("ada"))
                .andExpect(jsonPath("$.role").value(true))
                .andExpect(content().string(containsString("[\"ROLE_admins\",\"ROLE_staff\"]")));
        mvc.perform(get("/role")).andExpect(status().isOk());
        mvc.perform(get("/group")).andExpect(status().isOk());
    }

    @Test
    @WithPomeriumUser(groups = "admins")
    void methodsSeeTheUser() {
        Assertions.assertEquals("role", application.role());
    }

    @Test
    @WithPomeriumUser
    void methodsDemandRoles() {
        Assertions.assertThrows(AccessDeniedException.class, application::role);
    }

    @Test
    @WithPomeriumUser
    void rolesAndGroupsAreDemanded() throws Exception {
        mvc.perform(get("/role")).andExpect(status().isForbidden());
        mvc.perform(get("/group"))
                .andExpect(status().isForbidden())
                .andExpect(content().string("{\"error\":\"group_required\"}"))
                .andExpect(header().string("Cache-Control", "no-store"));
    }

    @Test
    void oneRequestBringsItsUser() throws Exception {
        PomeriumUser ada = PomeriumUser.named("ada").groups("admins");
        mvc.perform(get("/role").with(ada)).andExpect(status().isOk());
        mvc.perform(get("/").with(ada.claim("email", "a@b.example"))).andExpect(jsonPath("$.email").value("a@b.example"));
        mvc.perform(get("/role")).andExpect(status().isUnauthorized());
    }

    @Test
    void theDefaultChainKeepsCsrfProtection() throws Exception {
        mvc.perform(post("/").with(PomeriumUser.named("ada"))).andExpect(status().isForbidden());
        mvc.perform(post("/").with(PomeriumUser.named("ada")).with(csrf())).andExpect(status().isOk());
        mvc.perform(post("/logout").with(PomeriumUser.named("ada")).with(csrf())).andExpect(status().isNotFound());
    }

    @Test
    void exemptPathsPassWithoutAUser() throws Exception {
        mvc.perform(get("/open")).andExpect(status().isOk()).andExpect(jsonPath("$.identity").value(false));
        mvc.perform(get("/open").header("Upgrade", "websocket")).andExpect(status().isUnauthorized());
    }

    @Test
    void whatASessionSaysCountsForNothing() throws Exception {
        Identity bob;
        try (Verifier verifier = issuer.verifier()) {
            bob = verifier.verify(issuer.token(java.util.Map.of("sub", "bob")));
        }
        SecurityContext saved = SecurityContextHolder.createEmptyContext();
        saved.setAuthentication(new PomeriumAuthentication(bob, List.of()));
        mvc.perform(get("/").with(securityContext(saved)).with(PomeriumUser.named("ada")))
                .andExpect(jsonPath("$.subject").value("ada"));
        mvc.perform(get("/").with(securityContext(saved))).andExpect(status().isUnauthorized());
        mvc.perform(get("/open").with(securityContext(saved))).andExpect(jsonPath("$.authenticated").value(false));
    }

    @Test
    void printingShowsNobody() {
        PomeriumAuthentication authentication;
        try (Verifier verifier = issuer.verifier()) {
            authentication = new PomeriumAuthentication(verifier.verify(issuer.token()), List.of());
        }
        org.hamcrest.MatcherAssert.assertThat(authentication.toString(), not(containsString("alice")));
    }
}
