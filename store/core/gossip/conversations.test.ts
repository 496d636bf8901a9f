import { testConversations } from '../../io/test-conversations.ts';
import { Conversation } from '../../sim/gossip/conversation.ts';

testConversations(new URL('./testdata/', import.meta.url), () => new Conversation());
